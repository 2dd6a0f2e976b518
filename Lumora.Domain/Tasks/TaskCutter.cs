namespace Lumora.Domain.Tasks;

/// <summary>A batch of pages of one host.</summary>
/// <param name="Host">The host of all of them.</param>
/// <param name="Urls">Normalised, in the collection's order.</param>
public sealed record TaskBatch(string Host, IReadOnlyList<string> Urls);

/// <summary>Cuts a collection into tasks.</summary>
public static class TaskCutter
{
    /// <summary>
    /// Batches of at most <see cref="CollectionPlan.PagesPerTask"/> pages of one host: each page once, pages of
    /// hosts that are not allowed left out, at most <see cref="CollectionPlan.PagesMax"/>. Hosts take turns, so
    /// that no host waits for another one's last page.
    /// </summary>
    public static IReadOnlyList<TaskBatch> Cut(CollectionPlan plan, IEnumerable<string> urls)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var pages = new List<PageUrl>();
        foreach (var text in urls)
        {
            if (pages.Count == plan.PagesMax)
                break;
            if (PageUrl.TryNormalize(text, out var page)
                && HostRule.Admits(plan.AllowedHosts, new Uri(page.Url)) && seen.Add(page.Url))
                pages.Add(page);
        }

        return
        [
            .. pages.GroupBy(page => page.Host, StringComparer.Ordinal)
                .SelectMany(host => host.Select(page => page.Url).Chunk(plan.PagesPerTask)
                    .Select((chunk, turn) => (turn, Batch: new TaskBatch(host.Key, chunk))))
                .OrderBy(pair => pair.turn)
                .Select(pair => pair.Batch),
        ];
    }
}
