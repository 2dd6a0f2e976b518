using System.Globalization;
using System.Text;
using Lumora.Chain.Notes;
using Lumora.Chain.Solana;
using Lumora.Chain.Verification;
using Lumora.Cli.Conflicts;
using Lumora.Cli.Reports;
using Lumora.Domain.Anchoring;
using Lumora.Domain.Kernel;

namespace Lumora.Cli.Audit;

/// <summary>A checkpoint that the log says it has anchored: to be held against its tree.</summary>
/// <param name="Where">The entry that says so.</param>
/// <param name="Seen">The checkpoint.</param>
/// <param name="IsSigned">A known key of the log has signed it.</param>
internal sealed record SaidCheckpoint(string Where, SeenCheckpoint Seen, bool IsSigned);

/// <summary>
/// Plays the anchors <c>anchor/{shard}/{size}</c> again with the domain's own rules, one at a time, sizes growing, and checks what is
/// archived of each without any network: the memo is a checkpoint of the log, the transaction holds it and is signed by its payer, and
/// slots of one cluster rise. Whether the chain has it is for <see cref="AnchorCheck"/>.
/// </summary>
/// <param name="subject">What is audited, with the payer and the cluster where they are pinned.</param>
internal sealed class ArchivedAnchors(AuditSubject subject) : IAuditPart
{
    /// <summary>The claim that this checks.</summary>
    public const string Claim = "anchors_archived";

    private const string StreamPrefix = "anchor/";
    private const string TypePrefix = "anchor_";

    // Of each cluster its finalized anchors; of each key the memos that it has signed; of anchors in a row with one payer the first and how many.
    private readonly Dictionary<string, (long Slot, int Anchors)> _clusters = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _signers = new(StringComparer.Ordinal);
    private readonly List<(string Payer, long Index, int Anchors)> _payers = [];
    private AnchorState? _open;
    private long _size;
    private SaidCheckpoint? _due;

    /// <summary>Anchors that were prepared.</summary>
    public int Anchors => _payers.Sum(payer => payer.Anchors);

    /// <summary>Memos that no known key of the log has signed: an earlier key has, which counts on, or nobody.</summary>
    public int Unsigned => _signers.Where(signer => subject.Key.Keys.All(key => key.ToString() != signer.Key)).Sum(signer => signer.Value);

    /// <summary>For people: what was checked.</summary>
    public string Detail
    {
        get
        {
            var payer = subject.Payer is { } pinned ? $"by {pinned}" : "by the payer that its event names, which nobody has pinned";
            var earlier = Earlier is > 0 and var count ? string.Create(CultureInfo.InvariantCulture, $", the first {count} by others before it") : "";
            var elsewhere = _clusters.Where(cluster => cluster.Key != (subject.Genesis ?? cluster.Key)).Sum(cluster => cluster.Value.Anchors) is > 0 and var others
                ? string.Create(CultureInfo.InvariantCulture, $"; {others} on another cluster than {subject.Genesis}")
                : "";
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{_clusters.Values.Sum(cluster => cluster.Anchors)} transactions are archived whole, each signed {payer}{earlier}, with a prefix of this tree as its memo; sizes and slots rise{elsewhere}");
        }
    }

    // An anchor key that was replaced has paid before the one that is pinned.
    private int Earlier => subject.Payer is { } pinned ? _payers.TakeWhile(payer => payer.Payer != pinned.Key).Sum(payer => payer.Anchors) : 0;

    /// <summary>The checkpoint of the anchor that was prepared last, once.</summary>
    public SaidCheckpoint? TakeDue()
    {
        var due = _due;
        _due = null;
        return due;
    }

    /// <inheritdoc/>
    public IEnumerable<Finding> Take(LoggedEvent entry)
    {
        if (!entry.Leaf.Stream.StartsWith(StreamPrefix, StringComparison.Ordinal) && !entry.Leaf.Type.StartsWith(TypePrefix, StringComparison.Ordinal))
            return [];
        return Fault(entry) is { } fault ? [new Finding(Claim, entry.Where, fault)] : [];
    }

    /// <inheritdoc/>
    public void Save(BinaryWriter output)
    {
        output.Write(_size);
        output.WriteList(_clusters, cluster =>
        {
            output.Write(cluster.Key);
            output.Write(cluster.Value.Slot);
            output.Write(cluster.Value.Anchors);
        });
        output.WriteList(_signers, signer =>
        {
            output.Write(signer.Key);
            output.Write(signer.Value);
        });
        output.WriteList(_payers, payer =>
        {
            output.Write(payer.Payer);
            output.Write(payer.Index);
            output.Write(payer.Anchors);
        });
        output.WriteList<AnchorState>(_open is null ? [] : [_open], output.WriteJson);
    }

    /// <inheritdoc/>
    public void Load(BinaryReader input)
    {
        _size = input.ReadInt64();
        foreach (var (cluster, slot, anchors) in input.ReadList(() => (input.ReadString(), input.ReadInt64(), input.ReadInt32())))
            _clusters[cluster] = (slot, anchors);
        foreach (var (signer, memos) in input.ReadList(() => (input.ReadString(), input.ReadInt32())))
            _signers[signer] = memos;
        _payers.AddRange(input.ReadList(() => (input.ReadString(), input.ReadInt64(), input.ReadInt32())));
        _open = input.ReadList(input.ReadJson<AnchorState>).SingleOrDefault();
    }

    /// <summary>Holds the payers against the pinned one; who is not it.</summary>
    public IEnumerable<Finding> Finish()
    {
        if (subject.Payer is not { } pinned || Anchors == 0)
            yield break;
        if (Earlier == Anchors)
            yield return new Finding(Claim, "anchors", string.Create(
                CultureInfo.InvariantCulture, $"none of {Anchors} is paid for by the anchor key {pinned}, the last one by {_payers[^1].Payer}"));
        else
            foreach (var (payer, index, anchors) in _payers.SkipWhile(payer => payer.Payer != pinned.Key).Where(payer => payer.Payer != pinned.Key))
                yield return new Finding(Claim, string.Create(CultureInfo.InvariantCulture, $"entry {index}"), string.Create(
                    CultureInfo.InvariantCulture, $"from here on {anchors} anchors are paid for by {payer}, not by the anchor key {pinned}, which has paid before"));
    }

    private string? Fault(LoggedEvent entry)
    {
        if (LoggedEvent.TypeOf(entry.Leaf.Type)?.Namespace != typeof(AnchorState).Namespace || entry.Event is not { } @event)
            return entry.Fault ?? $"{entry.Leaf.Type} is no event of an anchor";
        if (@event is AnchorPrepared prepared)
            return Prepare(entry, prepared);
        if (_open is not { } state || entry.Leaf.Stream != state.Id)
            return $"no anchor of {entry.Leaf.Stream} is under way";
        var fault = TransactionFault(state, @event) ?? RuleFault(state, @event);
        // What follows is judged by what the log says, so that one fault is said once.
        _open = AnchorState.Evolve(state, @event);
        if (@event is AnchorFinalized finalized)
            fault = Finalize(state, finalized) ?? fault;
        return fault;
    }

    private string? Prepare(LoggedEvent entry, AnchorPrepared e)
    {
        if (entry.Leaf.Stream != AnchorState.StreamOf(subject.Shard, e.Size) || e.Shard != subject.Shard)
            return string.Create(CultureInfo.InvariantCulture, $"it prepares an anchor of {e.Size} entries of {e.Shard}");
        var fault = AnchorDecider.Prepare(null, _size, e) is Decision.Rejected { Reason: var reason } ? reason.Message
            : _open is { } open ? string.Create(CultureInfo.InvariantCulture, $"the anchor of {open.Size} entries in front of it is not finalized: there is one at a time")
            : !PublicKey.TryParse(e.Payer, out _) || e.GenesisHash is null ? $"its payer {e.Payer ?? "null"} is no address, or its cluster is not named"
            : e.Size > entry.Index ? string.Create(CultureInfo.InvariantCulture, $"it anchors {e.Size} entries, of which {entry.Index} stand in front of it")
            : null;
        _open = AnchorState.Evolve(null, e);
        _size = Math.Max(_size, e.Size);
        var payer = e.Payer ?? "";
        if (_payers is [.., var last] && last.Payer == payer)
            _payers[^1] = last with { Anchors = last.Anchors + 1 };
        else
            _payers.Add((payer, entry.Index, 1));
        return fault ?? MemoFault(entry, e);
    }

    private string? MemoFault(LoggedEvent entry, AnchorPrepared e)
    {
        try
        {
            var bytes = Encoding.UTF8.GetBytes(e.Memo);
            var note = SignedNote.Parse(bytes);
            var checkpoint = Checkpoint.Parse(note.Text);
            if (checkpoint.Origin != subject.Key.Key.Name || checkpoint.Size != e.Size || checkpoint.Root.ToBase64() != e.Root)
                return string.Create(
                    CultureInfo.InvariantCulture,
                    $"its memo is a checkpoint of {checkpoint.Size} entries of {checkpoint.Origin} with the root {checkpoint.Root.ToBase64()}, the event names {e.Size} with {e.Root}");
            // What an earlier key has signed counts on, and whoever does not know that key ignores its line (docs/log.md).
            var signer = subject.Key.Keys.FirstOrDefault(key => note.Signatures.Any(line => line.IsOf(key)))?.ToString() ?? "";
            var isSigned = signer.Length > 0;
            if (isSigned)
                NoteVerifier.VerifyCheckpoint(bytes, subject.Key.Keys, []);
            _signers[signer] = _signers.GetValueOrDefault(signer) + 1;
            _due = new SaidCheckpoint(
                entry.Where, new SeenCheckpoint(checkpoint, bytes, $"{subject.Source.Name}, {entry.Where}", e.PreparedAt), isSigned);
            return null;
        }
        catch (FormatException exception)
        {
            return $"its memo is no checkpoint: {exception.Message}";
        }
        catch (VerificationException exception)
        {
            return $"its memo is no checkpoint of the log: {exception.Message}";
        }
    }

    private static string? TransactionFault(AnchorState state, object @event)
    {
        switch (@event)
        {
            case AnchorSigned e:
                var signed = AnchorTransaction.Read(e.RawTransaction, e.Signature, state.Payer, state.Memo, out var fault);
                return fault ?? (signed!.Message.RecentBlockhash == e.Blockhash
                    ? null
                    : $"its transaction {e.Signature} has the recent blockhash {signed.Message.RecentBlockhash}, the event names {e.Blockhash}");
            case AnchorFinalized e:
                var archived = AnchorTransaction.Read(e.RawTransaction, e.Signature, state.Payer, state.Memo, out fault);
                if (fault is not null)
                    return fault;
                // A transaction names a block that is older than its own.
                return PublicKey.TryParse(e.Blockhash, out _) && e.Blockhash != archived!.Message.RecentBlockhash
                    ? null
                    : $"{e.Blockhash} cannot be the hash of the block that holds transaction {e.Signature}";
            default:
                return null;
        }
    }

    /// <summary>The rules must lead to the very event, from what the log says in front of it.</summary>
    private static string? RuleFault(AnchorState state, object @event)
    {
        var decision = @event switch
        {
            AnchorSigned e => AnchorDecider.Sign(state, e),
            AnchorSubmitted e => AnchorDecider.Submit(state, e.Signature, e.SubmittedAt),
            AnchorProcessed e => Observe(e.Signature, new AnchorSighting(AnchorStage.Processed, e.Slot, null), e.SeenAt),
            AnchorConfirmed e => Observe(e.Signature, new AnchorSighting(AnchorStage.Confirmed, e.Slot, null), e.SeenAt),
            AnchorRolledBack e => Observe(e.Signature, null, e.SeenAt),
            AnchorFailed e => Observe(e.Signature, new AnchorSighting(AnchorStage.Finalized, 0, e.Error), e.FailedAt),
            AnchorExpired e => AnchorDecider.Expire(state, e.Signature, e.FinalizedBlockHeight, e.ExpiredAt),
            AnchorFinalized e => AnchorDecider.Finalize(
                state, e.Signature, new AnchorRecord(e.Slot, e.Blockhash, e.BlockTime, e.RawTransaction, [state.Memo]), e.FinalizedAt),
            _ => Decision.Accept(),
        };
        if (decision is Decision.Rejected { Reason: var reason })
            return reason.Message;
        return decision is Decision.Accepted { Events: [var next] } && next.Equals(@event)
            ? null
            : $"the rules of anchoring do not lead to it: the anchor is {state.Stage}, its transaction {state.Signature ?? "none"}";

        Decision Observe(string signature, AnchorSighting? sighting, DateTimeOffset at) => AnchorDecider.Observe(state, signature, sighting, at);
    }

    private string? Finalize(AnchorState state, AnchorFinalized e)
    {
        _open = null;
        // The next anchor is signed when this one is final: it cannot stand in front of it.
        var (last, anchors) = _clusters.GetValueOrDefault(state.GenesisHash, (-1, 0));
        _clusters[state.GenesisHash] = (Math.Max(last, e.Slot), anchors + 1);
        return e.Slot > last
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"its slot {e.Slot} is not behind slot {last} of an anchor that was finalized before");
    }
}
