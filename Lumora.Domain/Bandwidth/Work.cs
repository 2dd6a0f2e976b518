using Lumora.Domain.Tasks;

namespace Lumora.Domain.Bandwidth;

/// <summary>What counts as work: body bytes of accepted pages, capped per page, each page once.</summary>
public static class Work
{
    /// <summary>The pages and bytes that <paramref name="pages"/> are worth.</summary>
    /// <param name="pages">Of an accepted result.</param>
    /// <param name="pageBytesMax">The cap per page.</param>
    /// <returns>Pages with outcome <see cref="PageOutcome.Fetched"/>, the first of each URL; bytes after the cap.</returns>
    public static (int Pages, long Bytes) Of(IEnumerable<TaskPage> pages, long pageBytesMax)
    {
        var counted = new HashSet<string>(StringComparer.Ordinal);
        var bytes = 0L;
        foreach (var page in pages)
        {
            if (page.Outcome == PageOutcome.Fetched && counted.Add(page.Url))
                bytes += Math.Min(page.BodyBytes, pageBytesMax);
        }

        return (counted.Count, bytes);
    }
}
