using System.Text;
using Lumora.Chain.Notes;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Programs;
using Lumora.Domain.Anchoring;

namespace Lumora.Integration.Tests.Cli;

/// <summary>Anchors of a log as its events tell and archive them, each as the host writes it unless a test changes it.</summary>
internal sealed class ForgedAnchors(ForgedLog log)
{
    public const string Genesis = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d";

    private readonly List<Func<object, object?>> _changes = [];
    private long _slot = 100;

    /// <summary>The first anchor lands behind this slot.</summary>
    public long FirstSlot
    {
        init => _slot = value;
    }

    /// <summary>The anchor key.</summary>
    public Keypair Payer { get; init; } = Keypair.FromSeed([.. Enumerable.Repeat((byte)9, 32)]);

    /// <summary>Its address.</summary>
    public string Address => Payer.PublicKey.Key;

    /// <summary>A hash of a block.</summary>
    public static string Hash(long number)
    {
        var bytes = new byte[32];
        BitConverter.TryWriteBytes(bytes, number + 1);
        return new PublicKey(bytes).Key;
    }

    /// <summary>Changes every event of a kind; null takes it away.</summary>
    public ForgedAnchors Change<T>(Func<T, T?> change)
        where T : class
    {
        _changes.Add(@event => @event is T before ? change(before) : @event);
        return this;
    }

    /// <summary>Publishes the log and anchors what is published.</summary>
    public async Task AnchorAsync(int expired = 0, bool isFinal = true)
    {
        await log.PublishAsync();
        Anchor(log.PublishedNote(), expired, isFinal);
    }

    /// <summary>Anchors a note; so many transactions expire first.</summary>
    public void Anchor(byte[] note, int expired = 0, bool isFinal = true)
    {
        var memo = Encoding.UTF8.GetString(note);
        var stream = Prepare(memo, out var version);
        for (var attempt = 1; attempt <= expired + 1; attempt++)
        {
            var valid = _slot + 150;
            var transaction = Transact(memo, Hash(_slot));
            Sign(transaction, attempt, valid);
            _slot += 40;
            if (attempt <= expired)
                Add(new AnchorExpired(transaction.Signature, valid + 1, log.Now));
            else if (isFinal)
                Land(transaction, _slot, Hash(_slot), log.Now);
        }

        void Sign(Transaction transaction, int attempt, long valid)
        {
            Add(new AnchorSigned(attempt, transaction.Signature, Raw(transaction), transaction.Message.RecentBlockhash, valid, log.Now));
            Add(new AnchorSubmitted(transaction.Signature, log.Now));
        }

        void Land(Transaction transaction, long slot, string blockhash, DateTimeOffset? time)
        {
            Add(new AnchorProcessed(transaction.Signature, slot, log.Now));
            Add(new AnchorConfirmed(transaction.Signature, slot, log.Now));
            Add(new AnchorFinalized(transaction.Signature, slot, blockhash, time, Raw(transaction), log.Now));
        }

        void Add(object @event) => version = this.Add(stream, version, @event);
    }

    /// <summary>Tells of a transaction that stands on a chain.</summary>
    public void Tell(string genesis, Transaction transaction, long slot, DateTimeOffset? time)
    {
        var memo = Encoding.UTF8.GetString(transaction.DataFor(MemoProgram.ProgramId).Single());
        Change<AnchorPrepared>(e => e with { GenesisHash = genesis });
        var stream = Prepare(memo, out var version);
        foreach (var @event in (object[])
                 [
                     new AnchorSigned(1, transaction.Signature, Raw(transaction), transaction.Message.RecentBlockhash, slot + 150, log.Now),
                     new AnchorFinalized(transaction.Signature, slot, Hash(slot), time, Raw(transaction), log.Now),
                 ])
            version = Add(stream, version, @event);
    }

    /// <summary>A transaction with <paramref name="memos"/>, signed by the anchor key or another one.</summary>
    public Transaction Transact(string memo, string blockhash, Keypair? payer = null, int memos = 1)
    {
        var signer = payer ?? Payer;
        var builder = new TransactionBuilder().SetFeePayer(signer.PublicKey).SetRecentBlockHash(blockhash);
        for (var i = 0; i < memos; i++)
            builder.AddInstruction(MemoProgram.NewMemo(memo, signer.PublicKey));
        return builder.Build(signer);
    }

    /// <summary>Wire bytes as an event holds them.</summary>
    public static string Raw(Transaction transaction) => Convert.ToBase64String(transaction.Serialize());

    private string Prepare(string memo, out long version)
    {
        var checkpoint = Checkpoint.Parse(SignedNote.Parse(Encoding.UTF8.GetBytes(memo)).Text);
        var stream = AnchorState.StreamOf("main", checkpoint.Size);
        version = Add(stream, 0, new AnchorPrepared("main", checkpoint.Size, checkpoint.Root.ToBase64(), memo, Genesis, Address, log.Now));
        return stream;
    }

    private long Add(string stream, long version, object @event)
    {
        object? changed = @event;
        foreach (var change in _changes)
            changed = changed is null ? null : change(changed);
        if (changed is null)
            return version;
        log.Add(stream, version + 1, changed, "system:anchoring");
        return version + 1;
    }
}
