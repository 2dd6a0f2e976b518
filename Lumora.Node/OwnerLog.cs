using System.Text.Json;
using System.Text.Json.Nodes;
using Lumora.Domain.Kernel;

namespace Lumora.Node;

/// <summary>
/// What the agent did, for its owner: one JSON object a line with <c>at</c>, <c>event</c> and what belongs to it. Holds
/// addresses of pages and counts, never their content. Two files of at most 10 MiB.
/// </summary>
internal sealed class OwnerLog(string path, TimeProvider clock, TextWriter? output)
{
    private const long FileBytesMax = 10 * 1024 * 1024;

    private readonly Lock _gate = new();

    /// <summary>Writes a line; <paramref name="details"/> in the order given.</summary>
    internal void Write(string @event, params ReadOnlySpan<(string Name, object? Value)> details)
    {
        var line = new JsonObject { ["at"] = clock.Now().ToWire(), ["event"] = @event };
        foreach (var (name, value) in details)
        {
            if (value is not null)
                line[name] = JsonSerializer.SerializeToNode(value, WireJson.Messages);
        }

        var text = line.ToJsonString(WireJson.Messages);
        lock (_gate)
        {
            if (File.Exists(path) && new FileInfo(path).Length > FileBytesMax)
                File.Move(path, path + ".1", overwrite: true);
            File.AppendAllText(path, text + "\n");
            output?.WriteLine(text);
        }
    }
}
