using System.Runtime.CompilerServices;
using System.Text;
using Lumora.Chain.Blobs;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Domain.Kernel;
using Lumora.Domain.Log;
using Lumora.Domain.Merkle;

namespace Lumora.Integration.Tests.Cli;

/// <summary>A log whose operator signs whatever he likes: tree and signatures are good, its events are not.</summary>
internal sealed class ForgedLog : ILeafSource, IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly List<LeafRow> _rows = [];
    private LogSigner _signer = new(Signer(0));

    public string Folder { get; } = Path.Combine(Path.GetTempPath(), $"lumora-forged-{Guid.NewGuid():N}");

    public string Key => _signer.Key.ToString();

    /// <summary>The key that follows in <see cref="Replace(bool)"/>.</summary>
    public static string NextKey
    {
        get
        {
            using var next = Signer(1);
            return next.Verifier.ToString();
        }
    }

    /// <summary>Entries so far.</summary>
    public int Count => _rows.Count;

    /// <summary>Their bytes.</summary>
    public IEnumerable<byte[]> Entries => _rows.Select(row => row.Bytes);

    /// <summary>The time of the next entry.</summary>
    public DateTimeOffset Now => Start.AddSeconds(_rows.Count);

    /// <summary>Ids are made of this and the entry's place, so that two logs can begin alike.</summary>
    public int Seed { get; init; } = 1;

    public void Add<T>(string stream, long version, T @event, string actor = "system:test", Guid? id = null, DateTimeOffset? at = null)
        where T : notnull
    {
        var type = EventCatalog.All.Single(pair => pair.Type == @event.GetType()).Name;
        var leaf = new Leaf(
            "main", stream, version, id ?? new Guid(_rows.Count, (short)Seed, 0, new byte[8]), type, at ?? Now, actor, null);
        var bytes = leaf.Encode(Encoding.UTF8.GetBytes(System.Text.Json.JsonSerializer.Serialize<object>(@event, WireJson.Events))).Bytes;
        Add(bytes);
    }

    /// <summary>Appends the first <paramref name="count"/> entries of another log.</summary>
    public void AddFrom(ForgedLog other, int count)
    {
        foreach (var row in other._rows.Take(count))
            Add(row.Bytes);
    }

    public void Add(byte[] bytes) => _rows.Add(new LeafRow(_rows.Count, MerkleHash.OfLeaf(bytes), bytes, null));

    /// <summary>Signs a checkpoint of <paramref name="text"/> and puts it in the place of the published one.</summary>
    public void Replace(string text) =>
        File.WriteAllBytes(Path.Combine(Folder, "log", LogPublisher.CheckpointPath), Sign(text));

    /// <summary>The note of <paramref name="text"/>, signed by the log.</summary>
    public byte[] Sign(string text) => _signer.Sign(text).ToBytes();

    /// <summary>The published checkpoint.</summary>
    public Checkpoint Published() => Checkpoint.Parse(SignedNote.Parse(PublishedNote()).Text);

    /// <summary>The note of it.</summary>
    public byte[] PublishedNote() => File.ReadAllBytes(Path.Combine(Folder, "log", LogPublisher.CheckpointPath));

    /// <summary>Signs with the next key: beside the first one, or alone.</summary>
    public void Replace(bool overlap)
    {
        using (_signer)
            _signer = overlap ? new LogSigner(Signer(0), Signer(1)) : new LogSigner(Signer(1));
    }

    public async Task PublishAsync()
    {
        using var folderLock = new FolderCheckpointLock(Path.Combine(Folder, "lock"));
        var publisher = new LogPublisher("main", this, new FolderBlobStore(Path.Combine(Folder, "log")), folderLock, _signer);
        await publisher.PublishAsync(TestContext.Current.CancellationToken);
    }

    public Task<long> SizeAsync(CancellationToken cancellationToken) => Task.FromResult((long)_rows.Count);

    public async IAsyncEnumerable<LeafRow> ReadAsync(long begin, long end, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        for (var i = begin; i < end; i++)
            yield return _rows[(int)i];
    }

    private static NoteSigner Signer(byte seed) => new("forged.example/main", SignatureKind.Ed25519, [.. Enumerable.Repeat(seed, 32)]);

    public void Dispose()
    {
        _signer.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
