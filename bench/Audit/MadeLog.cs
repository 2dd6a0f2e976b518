using System.Runtime.CompilerServices;
using System.Text.Json;
using Lumora.Chain.Blobs;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Domain.Bandwidth;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Domain.Log;
using Lumora.Domain.Merkle;
using Lumora.Domain.Nodes;
using Lumora.Domain.Tasks;

namespace Lumora.Bench.Audit;

/// <summary>
/// A published log in a folder with the events of a running network, in about the shares that it has: transfers between participants, and
/// tasks that are made, leased, accepted and counted.
/// </summary>
internal sealed class MadeLog : ILeafSource, IDisposable
{
    private const string Journal = "ledger/main";
    private const int Participants = 1_000;
    private const int Nodes = 200;

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly List<byte[]> _leaves = [];
    private readonly LogSigner _signer = new(new NoteSigner("bench.example/main", SignatureKind.Ed25519, new byte[32]));
    private readonly List<string> _participants =
        [.. Enumerable.Range(0, Participants).Select(i => TypeId.Format("participant", new Guid(i, 1, 0, new byte[8])))];
    private long _journal;

    /// <summary>Makes <paramref name="entries"/> entries or a few more; nothing is published yet.</summary>
    public MadeLog(int entries)
    {
        Post(new AccountOpened("open/emission", ChartOfAccounts.Emission, ChartOfAccounts.Lmr, null));
        foreach (var participant in _participants)
        {
            var account = ChartOfAccounts.Available(participant);
            Post(new AccountOpened($"open/{account}", account, ChartOfAccounts.Lmr, 0));
            Post(Transfer($"fund/{participant}", ChartOfAccounts.Emission, account, 1_000_000_000));
        }

        for (var i = 0; i < Nodes; i++)
            Add($"node/{NodeId(i)}", 1, new NodeRegistered(NodeId(i), _participants[i], "eu-west", NodeAllowance.Default, Start), _participants[i]);
        for (var i = 0; _leaves.Count < entries; i++)
        {
            Post(Transfer(
                new Guid(i, 2, 0, new byte[8]).ToString(), ChartOfAccounts.Available(_participants[i % Participants]),
                ChartOfAccounts.Available(_participants[(i + 1) % Participants]), 1 + i % 1_000));
            if (i % 3 == 0)
                Work(i);
        }
    }

    /// <summary>The log's folder.</summary>
    public string Folder { get; } = Path.Combine(Path.GetTempPath(), $"lumora-bench-log-{Guid.NewGuid():N}");

    /// <summary>Its key.</summary>
    public VerifierKey Key => _signer.Key;

    /// <summary>Bytes of all entries.</summary>
    public long Bytes => _leaves.Sum(leaf => (long)leaf.Length);

    /// <summary>Publishes all of it.</summary>
    public async Task PublishAsync(CancellationToken cancellationToken)
    {
        using var folderLock = new FolderCheckpointLock(Path.Combine(Folder, "lock"));
        var publisher = new LogPublisher("main", this, new FolderBlobStore(Path.Combine(Folder, "log")), folderLock, _signer);
        await publisher.PublishAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public Task<long> SizeAsync(CancellationToken cancellationToken) => Task.FromResult((long)_leaves.Count);

    /// <inheritdoc/>
    public async IAsyncEnumerable<LeafRow> ReadAsync(long begin, long end, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        for (var i = (int)begin; i < end; i++)
            yield return new LeafRow(i, MerkleHash.OfLeaf(_leaves[i]), _leaves[i], null);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _signer.Dispose();
        if (Directory.Exists(Folder))
            Directory.Delete(Folder, recursive: true);
    }

    private void Work(int i)
    {
        var (task, lease) = (TypeId.Format("task", new Guid(i, 3, 0, new byte[8])), TypeId.Format("lease", new Guid(i, 4, 0, new byte[8])));
        var collection = TypeId.Format("collection", new Guid(1, 5, 0, new byte[8]));
        var (stream, node, at) = ($"task/{task}", i % Nodes, Start.AddSeconds(_leaves.Count));
        string[] urls = [.. Enumerable.Range(0, 10).Select(page => $"https://example.org/articles/{i}/{page}.html")];
        Add(stream, 1, new TaskCreated(task, collection, "example.org", urls, 3, at), "system:tasks");
        Add(stream, 2, new TaskLeased(task, lease, NodeId(node), 1, at, at.AddMinutes(5)), $"node:{NodeId(node)}");
        Add(stream, 3, new TaskAccepted(task, lease, NodeId(node), TypeId.Format("result", new Guid(i, 6, 0, new byte[8])), 120, at), "system:curator");
        Add(stream, 4, new ContributionRecorded(
            TypeId.Format("contribution", new Guid(i, 7, 0, new byte[8])), NodeId(node), _participants[node], task, lease, collection, 20_454, 10,
            66_962 + i, Convert.ToHexStringLower(new byte[32]), at), "system:curator");
    }

    private static TransactionPosted Transfer(string id, string from, string to, long units) =>
        new(id, OwnMoney.TransferKind, [new Posting(from, to, new Amount(units))], new TransactionReference("invoice", id));

    private void Post<T>(T @event) => Add(Journal, ++_journal, @event, "system:bench");

    private void Add<T>(string stream, long version, T @event, string actor)
    {
        var type = EventCatalog.All.Single(pair => pair.Type == typeof(T)).Name;
        var leaf = new Leaf("main", stream, version, new Guid(_leaves.Count, 8, 0, new byte[8]), type, Start.AddSeconds(_leaves.Count), actor, null);
        _leaves.Add(leaf.Encode(JsonSerializer.SerializeToUtf8Bytes(@event, WireJson.Events)).Bytes);
    }

    private static string NodeId(int i) => new Chain.Solana.PublicKey([.. BitConverter.GetBytes(i + 1), .. new byte[28]]).ToString();
}
