using System.Globalization;
using System.Runtime.InteropServices;
using Lumora.Cli.Reports;

namespace Lumora.Cli.Audit;

/// <summary>Every event comes once, and inside each stream the versions are 1, 2, 3, … in the log's order.</summary>
internal sealed class StreamCheck : IAuditPart
{
    /// <summary>The claim that this checks.</summary>
    public const string Claim = "streams_whole";

    private readonly Dictionary<string, long> _versions = new(StringComparer.Ordinal);
    private readonly HashSet<Guid> _ids = [];

    /// <summary>Streams so far.</summary>
    public int Streams => _versions.Count;

    /// <inheritdoc/>
    public IEnumerable<Finding> Take(LoggedEvent entry) => Fault(entry) is { } fault ? [fault] : [];

    /// <inheritdoc/>
    public void Save(BinaryWriter output)
    {
        output.WriteList(_versions, stream =>
        {
            output.Write(stream.Key);
            output.Write7BitEncodedInt64(stream.Value);
        });
        output.WriteList(_ids, output.WriteGuid);
    }

    /// <inheritdoc/>
    public void Load(BinaryReader input)
    {
        foreach (var (stream, version) in input.ReadList(() => (input.ReadString(), input.Read7BitEncodedInt64())))
            _versions[stream] = version;
        _ids.UnionWith(input.ReadList(input.ReadGuid));
    }

    private Finding? Fault(LoggedEvent entry)
    {
        var leaf = entry.Leaf;
        if (!_ids.Add(leaf.Id))
            return new Finding(Claim, Where(entry), $"the event {leaf.Id} stands in the log twice");
        ref var version = ref CollectionsMarshal.GetValueRefOrAddDefault(_versions, leaf.Stream, out _);
        var last = version;
        version = Math.Max(last, leaf.Version);
        if (leaf.Version == last + 1)
            return null;
        return new Finding(Claim, Where(entry), leaf.Version <= last
            ? $"the stream {leaf.Stream} has version {leaf.Version} after version {last}"
            : $"the stream {leaf.Stream} goes from version {last} to {leaf.Version}: {leaf.Version - last - 1} in between are missing");
    }

    private static string Where(LoggedEvent entry) => string.Create(CultureInfo.InvariantCulture, $"entry {entry.Index}");
}
