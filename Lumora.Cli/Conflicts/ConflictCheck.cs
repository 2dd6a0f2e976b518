using System.Globalization;
using System.Text;
using Lumora.Chain.Notes;
using Lumora.Chain.Verification;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;
using Lumora.Domain.Merkle;

namespace Lumora.Cli.Conflicts;

/// <summary>Checks an evidence file with the log's keys and nothing else.</summary>
internal sealed class ConflictCheck(TrustedKey key)
{
    /// <summary>The claim that the evidence is for.</summary>
    public const string Claim = "conflict_shown";

    /// <summary>What holds and how well.</summary>
    public List<Claim> Claims { get; } = [.. key.Claims];

    /// <summary>Why the evidence shows nothing.</summary>
    public List<Finding> Findings { get; } = [];

    /// <summary>Checks <paramref name="evidence"/>; true when it shows what it says.</summary>
    public bool Run(ConflictEvidence evidence)
    {
        try
        {
            var detail = evidence.Kind == ConflictKind.RewrittenEntry ? Rewritten(evidence) : Fork(evidence);
            Claims.Add(new Claim(Claim, Standing.ProvenOffline, detail));
            return true;
        }
        catch (Exception exception) when (exception is FormatException or VerificationException)
        {
            Claims.Add(new Claim(Claim, Standing.NotProven, "the evidence shows nothing"));
            Findings.Add(new Finding(Claim, "evidence", exception.Message));
            return false;
        }
    }

    private string Fork(ConflictEvidence evidence)
    {
        var first = Signed(evidence.First, "first");
        var second = Signed(evidence.Second ?? throw new FormatException("It has no second note."), "second");
        if (first.Origin != second.Origin)
            throw new VerificationException("The notes are of two logs.");
        if (evidence.Kind == ConflictKind.NotExtended)
            throw new VerificationException(
                "Both are signed, and the proof that came with the second did not hold; an honest checkpoint with a wrong proof looks the same. "
                + "Its tiles decide: lumora audit, with the first note's tree.");
        if (first.Size == second.Size)
            return first.Root != second.Root
                ? string.Create(CultureInfo.InvariantCulture, $"the log has signed two trees of {first.Size} entries, with the roots {first.Root.ToBase64()} and {second.Root.ToBase64()}")
                : throw new VerificationException("Both notes say the same: there is no fork.");
        var (old, whole) = ProofVerifier.RootsOf(first.Size, second.Size, Path(evidence));
        if (whole != second.Root)
            throw new VerificationException("The proof is not of the second note's tree.");
        return old != first.Root
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"the first {first.Size} entries of the tree of {second.Size} that the log has signed have the root {old.ToBase64()}; for {first.Size} entries it has signed {first.Root.ToBase64()}")
            : throw new VerificationException("The second tree extends the first: there is no fork.");
    }

    private string Rewritten(ConflictEvidence evidence)
    {
        var covering = Signed(evidence.First, "first");
        var entry = evidence.Entry ?? throw new FormatException("It has no entry.");
        ProofVerifier.VerifyInclusion(Hash(entry.SignedHash), entry.Index, covering.Size, Path(evidence), covering.Root);
        var served = MerkleHash.OfLeaf(Convert.FromBase64String(entry.Bytes));
        return served != Hash(entry.SignedHash)
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"the tree of {covering.Size} entries that the log has signed holds {entry.SignedHash} at {entry.Index}; the bytes that came from {entry.From} hash to {served.ToBase64()}")
            : throw new VerificationException("The bytes are those of the signed entry.");
    }

    private Checkpoint Signed(ConflictNote note, string which)
    {
        var checkpoint = NoteVerifier.VerifyCheckpoint(Encoding.UTF8.GetBytes(note.Note), key.Keys, []).Checkpoint;
        Claims.Add(new Claim($"{which}_signed", Standing.ProvenOffline, string.Create(
            CultureInfo.InvariantCulture, $"{checkpoint.Origin} has signed {checkpoint.Size} entries with the root {checkpoint.Root.ToBase64()}; got from {note.From} at {note.At.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z")));
        return checkpoint;
    }

    private static List<MerkleHash> Path(ConflictEvidence evidence) => [.. evidence.Proof.Select(Hash)];

    private static MerkleHash Hash(string text) =>
        MerkleHash.TryParseBase64(text, out var hash) ? hash : throw new FormatException($"\"{text}\" is no canonical base64 of a hash.");
}
