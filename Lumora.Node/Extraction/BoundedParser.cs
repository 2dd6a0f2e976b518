using System.Diagnostics;
using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;

namespace Lumora.Node.Extraction;

/// <summary>A page has more elements, or takes longer to parse, than any page that is meant to be read.</summary>
internal sealed class PageTooComplexException() : Exception("The page is too complex to be read.");

/// <summary>
/// HTML parsing with limits, since the page is a stranger's. AngleSharp itself flattens what is nested deeper than 512
/// elements, so that selectors, which recurse, cannot overflow the stack.
/// </summary>
internal static class BoundedParser
{
    private const int ElementsMax = 200_000;
    private static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(5);

    /// <summary>The document of <paramref name="html"/>; scripts are not run.</summary>
    /// <exception cref="PageTooComplexException">A limit is exceeded.</exception>
    internal static IHtmlDocument Parse(string html)
    {
        var started = Stopwatch.GetTimestamp();
        var elements = 0;
        return new HtmlParser(new HtmlParserOptions
        {
            IsScripting = false,
            MaximumDepth = HtmlParserOptions.DefaultMaximumDepth,
            OnCreated = (_, _) =>
            {
                if (++elements > ElementsMax || Stopwatch.GetElapsedTime(started) > TimeMax)
                    throw new PageTooComplexException();
            },
        }).ParseDocument(html);
    }
}
