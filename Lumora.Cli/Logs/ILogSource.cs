using System.Text.Json;
using Lumora.Chain.Tiles;

namespace Lumora.Cli.Logs;

/// <summary>A published log: a server's, or a copy in a folder.</summary>
internal interface ILogSource : ITileReader, IDisposable
{
    /// <summary>For people: where it is.</summary>
    string Name { get; }

    /// <summary>True of a copy, which may be older than what the log has published since.</summary>
    bool IsCopy { get; }

    /// <summary>The bytes at <paramref name="path"/> below the log, or null when there are none.</summary>
    Task<byte[]?> ReadAsync(string path, CancellationToken cancellationToken);

    /// <summary>The export from the leaf <paramref name="from"/> on, or null when the source has none.</summary>
    Task<Stream?> ExportAsync(long from, CancellationToken cancellationToken);

    /// <summary>Asks the server's GraphQL and gives the answer's data, or null when there is no server.</summary>
    Task<JsonElement?> AskAsync(string query, object variables, CancellationToken cancellationToken);
}
