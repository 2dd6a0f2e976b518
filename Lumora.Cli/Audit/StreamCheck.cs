using System.Globalization;
using Lumora.Cli.Reports;
using Lumora.Domain.Log;

namespace Lumora.Cli.Audit;

/// <summary>Every event comes once, and inside each stream the versions are 1, 2, 3, … in the log's order.</summary>
internal sealed class StreamCheck
{
    /// <summary>The claim that this checks.</summary>
    public const string Claim = "streams_whole";

    private readonly Dictionary<string, long> _versions = new(StringComparer.Ordinal);
    private readonly HashSet<Guid> _ids = [];

    /// <summary>Streams so far.</summary>
    public int Streams => _versions.Count;

    /// <summary>Takes the next entry; what is wrong with it, or null.</summary>
    public Finding? Take(long index, Leaf leaf)
    {
        var where = string.Create(CultureInfo.InvariantCulture, $"entry {index}");
        if (!_ids.Add(leaf.Id))
            return new Finding(Claim, where, $"the event {leaf.Id} stands in the log twice");
        var last = _versions.GetValueOrDefault(leaf.Stream);
        _versions[leaf.Stream] = Math.Max(last, leaf.Version);
        if (leaf.Version == last + 1)
            return null;
        return new Finding(Claim, where, leaf.Version <= last
            ? $"the stream {leaf.Stream} has version {leaf.Version} after version {last}"
            : $"the stream {leaf.Stream} goes from version {last} to {leaf.Version}: {leaf.Version - last - 1} in between are missing");
    }
}
