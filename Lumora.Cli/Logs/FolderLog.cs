using System.Text.Json;
using Lumora.Chain.Blobs;
using Lumora.Chain.Log;
using Lumora.Chain.Tiles;
using Lumora.Cli.Reports;

namespace Lumora.Cli.Logs;

/// <summary>A copy of a log in a folder, read without any network.</summary>
internal sealed class FolderLog : ILogSource
{
    private readonly FolderBlobStore _files;

    /// <summary>Takes the folder that holds the file <c>checkpoint</c>, or a host's home above it.</summary>
    /// <exception cref="UnableException">No log is there.</exception>
    public FolderLog(string folder, string shard)
    {
        string[] candidates = [folder, Path.Combine(folder, shard), Path.Combine(folder, "log", shard)];
        // A lost checkpoint is a finding of the audit, not a wrong folder: tiles alone are a log too.
        Name = candidates.FirstOrDefault(IsLog)
            ?? throw new UnableException($"{folder} holds no log of {shard}: expected {LogPublisher.CheckpointPath} and tile/ in it.");
        _files = new FolderBlobStore(Name);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public bool IsCopy => true;

    /// <inheritdoc/>
    public Task<byte[]?> ReadAsync(string path, CancellationToken cancellationToken) => _files.ReadAsync(path, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<byte[]?> ReadAsync(TileId tile, CancellationToken cancellationToken) =>
        await _files.ReadAsync(tile.Path, cancellationToken);

    /// <inheritdoc/>
    public Task<Stream?> ExportAsync(long from, CancellationToken cancellationToken) => Task.FromResult<Stream?>(null);

    /// <inheritdoc/>
    public Task<JsonElement?> AskAsync(string query, object variables, CancellationToken cancellationToken) => Task.FromResult<JsonElement?>(null);

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static bool IsLog(string folder) =>
        File.Exists(Path.Combine(folder, LogPublisher.CheckpointPath)) || Directory.Exists(Path.Combine(folder, "tile"));
}
