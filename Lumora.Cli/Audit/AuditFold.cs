using Lumora.Cli.Reports;
using Lumora.Domain.Kernel;

namespace Lumora.Cli.Audit;

/// <summary>All that an audit folds from the entries of a log, and how it is kept between two audits.</summary>
internal sealed class AuditFold
{
    private readonly IAuditPart[] _parts;

    /// <summary>A fold of no entries.</summary>
    public AuditFold(AuditSubject subject)
    {
        Rewards = new RewardCheck(subject.Epochs);
        Archived = new ArchivedAnchors(subject);
        Recorded = new RecordedCheckpoints(subject);
        _parts = [Streams, Erasures, Ledger, Purchases, Rewards, Public, Anchors, Archived, Recorded];
    }

    /// <summary>Gaps and doubles.</summary>
    public StreamCheck Streams { get; } = new();

    /// <summary>Personal fields and their erasures.</summary>
    public ErasureCheck Erasures { get; } = new();

    /// <summary>The journals.</summary>
    public LedgerCheck Ledger { get; } = new();

    /// <summary>Purchases against the journal.</summary>
    public PurchaseCheck Purchases { get; } = new();

    /// <summary>Epochs against the formula.</summary>
    public RewardCheck Rewards { get; }

    /// <summary>Catalog and epochs for the comparison with the server.</summary>
    public PublicFold Public { get; } = new();

    /// <summary>What the log says about its anchors.</summary>
    public AnchorEntries Anchors { get; } = new();

    /// <summary>What the log archives of its anchors.</summary>
    public ArchivedAnchors Archived { get; }

    /// <summary>Checkpoints of regions.</summary>
    public RecordedCheckpoints Recorded { get; }

    /// <summary>Entries whose data is kept apart.</summary>
    public int Detached { get; set; }

    /// <summary>Takes the next entry; what is wrong with it.</summary>
    public IEnumerable<Finding> Take(LoggedEvent entry)
    {
        List<Finding>? findings = null;
        foreach (var part in _parts)
        {
            try
            {
                foreach (var finding in part.Take(entry))
                    (findings ??= []).Add(finding);
            }
            catch (Exception exception) when (exception is NullReferenceException or ArgumentException or OverflowException
                or InvariantViolationException or FormatException or KeyNotFoundException)
            {
                // What the JSON lacks is null here, whatever its type says; what it holds may be beyond every bound.
                (findings ??= []).Add(new Finding(ClaimOf(part), entry.Where, $"its data has not the form of {entry.Leaf.Type}: {exception.Message}"));
            }
        }

        return findings ?? [];
    }

    /// <summary>Writes all of it.</summary>
    public void Save(BinaryWriter output)
    {
        output.Write(Detached);
        foreach (var part in _parts)
            part.Save(output);
    }

    /// <summary>Reads it back.</summary>
    public void Load(BinaryReader input)
    {
        Detached = input.ReadInt32();
        foreach (var part in _parts)
            part.Load(input);
    }

    private static string ClaimOf(IAuditPart part) => part switch
    {
        StreamCheck => StreamCheck.Claim,
        ErasureCheck => ErasureCheck.Claim,
        LedgerCheck => LedgerCheck.Claim,
        PurchaseCheck => PurchaseCheck.Claim,
        RewardCheck => RewardCheck.Claim,
        ArchivedAnchors => ArchivedAnchors.Claim,
        RecordedCheckpoints => RecordedCheckpoints.Claim,
        _ => AuditRun.EntriesClaim,
    };
}
