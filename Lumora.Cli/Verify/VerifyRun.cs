using System.Globalization;
using Lumora.Chain.Notes;
using Lumora.Chain.Verification;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;
using Lumora.Cli.Trust;
using Lumora.Domain.Log;
using Lumora.Domain.Merkle;

namespace Lumora.Cli.Verify;

/// <summary>A proof and the bytes that it is about, with the names under which messages speak of them.</summary>
internal sealed record Evidence(string ProofName, byte[] Proof, string LeafName, byte[] Leaf);

/// <summary>Checks one entry step by step, so that a fault is named where it lies.</summary>
internal sealed class VerifyRun(TrustedKey key)
{
    /// <summary>What holds and how well.</summary>
    public List<Claim> Claims { get; } = [.. key.Claims];

    /// <summary>What does not hold.</summary>
    public List<Finding> Findings { get; } = [];

    /// <summary>The steps that need no network; the proof and its checkpoint when all of them hold.</summary>
    public (TlogProof Proof, Checkpoint Checkpoint)? CheckOffline(Evidence evidence, Guid? expected)
    {
        var proof = Step("proof_readable", evidence.ProofName, () => TlogProof.Parse(evidence.Proof), _ => null);
        if (proof is null)
            return null;
        var checkpoint = Step(
            "checkpoint_signed", $"checkpoint in {evidence.ProofName}",
            () => NoteVerifier.VerifyCheckpoint(proof.Checkpoint.Span, key.Keys, []).Checkpoint,
            good => string.Create(CultureInfo.InvariantCulture, $"{good.Origin} has signed {good.Size} entries with the root {good.Root.ToBase64()}"));
        if (checkpoint is null)
            return null;
        var (witnessed, unwitnessed) = WitnessCheck.Check(proof.Checkpoint.ToArray(), key, $"checkpoint in {evidence.ProofName}");
        if (witnessed is not null)
            Claims.Add(witnessed);
        if (unwitnessed is not null)
            Findings.Add(unwitnessed);
        var hash = MerkleHash.OfLeaf(evidence.Leaf);
        var included = Step(
            "entry_in_tree", string.Create(CultureInfo.InvariantCulture, $"entry {proof.Index}, {evidence.LeafName} under {evidence.ProofName}"),
            () =>
            {
                ProofVerifier.VerifyInclusion(hash, proof.Index, checkpoint.Size, proof.Path, checkpoint.Root);
                return proof;
            },
            good => string.Create(CultureInfo.InvariantCulture, $"entry {good.Index} with the leaf hash {hash} leads to that root in {good.Path.Count} steps"));
        var leaf = Step(
            "event_readable", evidence.LeafName, () => Leaf.Decode(evidence.Leaf).Leaf, good => included is null ? null : EventLine.Of(good));
        if (leaf is not null && expected is { } id && leaf.Id != id)
            Findings.Add(new Finding("event_readable", evidence.LeafName, $"it is the event {leaf.Id}, not {id}"));
        return included is null || Findings.Count > 0 ? null : (proof, checkpoint);
    }

    /// <summary>Compares with the chain, or says that this is left to do.</summary>
    public async Task<TlogProof?> CheckAnchorAsync(
        ChainServer? chain, ILogSource? source, byte[] leaf, TlogProof proof, Checkpoint checkpoint, CancellationToken cancellationToken)
    {
        if (chain is null)
        {
            Claims.Add(new Claim("anchored", Standing.NeedsChain, "give --rpc to look for the checkpoint in a finalized transaction"));
            return null;
        }

        var answer = await new AnchorSearch(chain, key.Keys, source).FindAsync(MerkleHash.OfLeaf(leaf), proof, checkpoint, cancellationToken);
        Claims.Add(answer.Claim);
        if (answer.Finding is { } finding)
            Findings.Add(finding);
        return answer.Proof;
    }

    private T? Step<T>(string claim, string where, Func<T> check, Func<T, string?> detail)
        where T : class
    {
        try
        {
            var result = check();
            if (detail(result) is { } text)
                Claims.Add(new Claim(claim, Standing.ProvenOffline, text));
            return result;
        }
        catch (Exception exception) when (exception is FormatException or VerificationException)
        {
            Claims.Add(new Claim(claim, Standing.NotProven, "does not hold"));
            Findings.Add(new Finding(claim, where, exception.Message));
            return null;
        }
    }
}
