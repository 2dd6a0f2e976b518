using System.Runtime.CompilerServices;
using Lumora.Chain.Blobs;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Verification;
using Lumora.Chain.Witnessing;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Tests.Log;

/// <summary>A log on a folder of its own, with leaves in memory and one fault at a chosen write.</summary>
internal sealed class LogWorkshop : IDisposable
{
    public LogWorkshop() => Blobs = new FolderBlobStore(Path.Combine(Folder, "log"));

    /// <summary>All of its files.</summary>
    public string Folder { get; } = Path.Combine(Path.GetTempPath(), $"lumora-log-{Guid.NewGuid():N}");

    public MemoryLeaves Leaves { get; } = new();

    public FolderBlobStore Blobs { get; }

    public string LockFolder => Path.Combine(Folder, "lock");

    public LogSigner Signer { get; set; } = new(GoldenLog.LogSigner());

    /// <summary>Who cosigns.</summary>
    public ICosigner Cosigner { get; set; } = new NoWitnesses();

    /// <summary>What the chain answers: null while it is away.</summary>
    public AnchoredAnswer? Chain { get; set; } = new(null, "an empty chain");

    /// <summary>Every checkpoint that came out, in the order in which it did.</summary>
    public List<byte[]> Seen { get; } = [];

    /// <summary>One life of a publishing process: it ends at its first fault.</summary>
    public async Task<PublishedCheckpoint?> PublishAsync(Faults? faults = null)
    {
        using var folderLock = new FolderCheckpointLock(LockFolder);
        return await Publisher(folderLock, faults ?? new Faults(int.MaxValue, persisted: false))
            .PublishAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>A publishing process that goes on after its faults, as the host does.</summary>
    public LogPublisher Publisher(FolderCheckpointLock folderLock, Faults faults) => new(
        "ledger", new FaultyLeaves(Leaves, faults), new FaultyBlobs(Blobs, faults, this), new FaultyLock(folderLock, faults), Signer,
        new ScriptedChain(this, faults), Cosigner);

    public async Task<FsckReport> FsckAsync() => await LogFsck.RunAsync(
        new BlobTiles(Blobs), Signer.Key,
        await Blobs.ReadAsync(LogPublisher.CheckpointPath, TestContext.Current.CancellationToken),
        onEntry: null, TestContext.Current.CancellationToken);

    /// <summary>What went out has growing sizes, and one root for each size: that of the leaves.</summary>
    public void AssertNoFork()
    {
        var seen = Seen.Select(note => NoteVerifier.VerifyCheckpoint(note, Signer.Key).Checkpoint).ToList();
        Assert.Equal(seen.OrderBy(checkpoint => checkpoint.Size), seen);
        foreach (var checkpoint in seen)
        {
            var range = new CompactRange();
            for (var i = 0; i < checkpoint.Size; i++)
                range.Append(Leaves.Rows[i].Hash);
            Assert.Equal(range.Root(), checkpoint.Root);
        }
    }

    /// <summary>Changes one byte of a file of the log.</summary>
    public void Flip(string path, int at)
    {
        var file = Blobs.FileOf(path);
        var bytes = File.ReadAllBytes(file);
        bytes[at] ^= 1;
        File.WriteAllBytes(file, bytes);
    }

    public void Dispose()
    {
        Signer.Dispose();
        if (Directory.Exists(Folder))
            Directory.Delete(Folder, recursive: true);
    }

    /// <summary>Counts writes (and reads, if asked) and breaks one of them, before or after it was done; perhaps a second one.</summary>
    internal sealed class Faults(int at, bool persisted)
    {
        private int _count;

        /// <summary>Whether reads count too.</summary>
        public bool Reads { get; init; }

        /// <summary>The number of the second one to break.</summary>
        public int Second { get; init; } = int.MaxValue;

        /// <summary>How many were broken.</summary>
        public int Broken { get; private set; }

        public bool Happened => Broken > 0;

        public async Task RunAsync(Func<Task> write)
        {
            var number = _count++;
            if (number != at && number != Second)
            {
                await write();
                return;
            }

            Broken++;
            if (persisted)
                await write();
            throw new IOException("injected");
        }

        public async Task<T> ReadAsync<T>(Func<Task<T>> read)
        {
            T answer = default!;
            if (!Reads)
                return await read();
            await RunAsync(async () => answer = await read());
            return answer;
        }
    }

    internal sealed class MemoryLeaves : ILeafSource
    {
        private readonly List<LeafRow> _rows = [];

        public IList<LeafRow> Rows => _rows;

        public void Grow(int size)
        {
            for (var i = _rows.Count; i < size; i++)
                _rows.Add(new LeafRow(i, MerkleHash.OfLeaf(GoldenLog.Entry(i)), GoldenLog.Entry(i), i % 97 == 5 ? [(byte)(i % 256)] : null));
        }

        public Task<long> SizeAsync(CancellationToken cancellationToken) => Task.FromResult((long)_rows.Count);

        public async IAsyncEnumerable<LeafRow> ReadAsync(
            long begin, long end, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.CompletedTask;
            for (var i = begin; i < end; i++)
                yield return _rows[(int)i];
        }
    }

    private sealed class ScriptedChain(LogWorkshop workshop, Faults faults) : IAnchoredCheckpoints
    {
        public string? Fault => null;

        public Task<AnchoredAnswer?> AskAsync(string shard, IReadOnlyList<VerifierKey> keys, CancellationToken cancellationToken) =>
            faults.ReadAsync(() => Task.FromResult(workshop.Chain));
    }

    private sealed class FaultyLeaves(ILeafSource inner, Faults faults) : ILeafSource
    {
        private const int RowsBetweenFaults = 100;

        public Task<long> SizeAsync(CancellationToken cancellationToken) => faults.ReadAsync(() => inner.SizeAsync(cancellationToken));

        public async IAsyncEnumerable<LeafRow> ReadAsync(
            long begin, long end, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await foreach (var row in inner.ReadAsync(begin, end, cancellationToken))
                yield return (row.Index - begin) % RowsBetweenFaults == 0 ? await faults.ReadAsync(() => Task.FromResult(row)) : row;
        }
    }

    private sealed class FaultyBlobs(IBlobStore inner, Faults faults, LogWorkshop workshop) : IBlobStore
    {
        public Task<byte[]?> ReadAsync(string path, CancellationToken cancellationToken) =>
            faults.ReadAsync(() => inner.ReadAsync(path, cancellationToken));

        public Task PutAsync(string path, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
            faults.RunAsync(() => inner.PutAsync(path, bytes, cancellationToken));

        public Task ReplaceAsync(string path, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
            faults.RunAsync(async () =>
            {
                workshop.Seen.Add(bytes.ToArray());
                await inner.ReplaceAsync(path, bytes, cancellationToken);
            });

        public Task DeleteAsync(string path, CancellationToken cancellationToken) =>
            faults.RunAsync(() => inner.DeleteAsync(path, cancellationToken));

        public Task DeleteFolderAsync(string folder, CancellationToken cancellationToken) =>
            faults.RunAsync(() => inner.DeleteFolderAsync(folder, cancellationToken));
    }

    private sealed class FaultyLock(ICheckpointLock inner, Faults faults) : ICheckpointLock
    {
        public Task<byte[]?> ReadAsync(string shard, CancellationToken cancellationToken) =>
            faults.ReadAsync(() => inner.ReadAsync(shard, cancellationToken));

        public Task SwapAsync(string shard, byte[]? expected, byte[] next, CancellationToken cancellationToken) =>
            faults.RunAsync(() => inner.SwapAsync(shard, expected, next, cancellationToken));
    }
}
