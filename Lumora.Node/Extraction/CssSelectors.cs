using AngleSharp.Css.Parser;
using Lumora.Domain.Tasks;

namespace Lumora.Node.Extraction;

/// <summary>CSS selectors as AngleSharp compiles them: the parser that also applies them.</summary>
public sealed class CssSelectors : ISelectorSyntax
{
    /// <inheritdoc/>
    public bool IsValid(string selector)
    {
        try
        {
            return new CssSelectorParser().ParseSelector(selector) is not null;
        }
        catch (AngleSharp.Dom.DomException)
        {
            return false;
        }
    }
}
