using System.Runtime.CompilerServices;
using Lumora.Chain.Notes;
using Lumora.Chain.Solana.Programs;
using Lumora.Chain.Solana.Rpc;
using Lumora.Chain.Verification;

namespace Lumora.Chain.Solana;

/// <summary>A log's checkpoint as it stands in a finalized transaction.</summary>
/// <param name="Signature">The transaction.</param>
/// <param name="Slot">Slot of its block.</param>
/// <param name="BlockTime">Time of the block, where the server knows it.</param>
/// <param name="FeePayer">Who paid for it.</param>
/// <param name="Checkpoint">The checkpoint; a signature of the log on it is good.</param>
/// <param name="Note">The memo's bytes.</param>
public sealed record MemoCheckpoint(
    string Signature, ulong Slot, DateTimeOffset? BlockTime, PublicKey FeePayer, Checkpoint Checkpoint, byte[] Note);

/// <summary>
/// Finds a log's checkpoints on Solana as an outsider does: by the data of memo instructions in finalized transactions. Log text
/// is never looked at, since any program may print what it likes.
/// </summary>
public static class MemoCheckpoints
{
    /// <summary>
    /// Transactions of one address that a search of an outsider looks through before it gives up, and says so: anybody may name the
    /// address in theirs.
    /// </summary>
    public const int TransactionsMax = 20_000;

    private const int PageRows = 1_000;

    /// <summary>The checkpoint in the finalized transaction <paramref name="signature"/> that one of the log's <paramref name="keys"/> has signed, or null when it holds none.</summary>
    /// <exception cref="VerificationException">The server's answer is not the transaction that was asked for.</exception>
    public static async Task<MemoCheckpoint?> ReadAsync(
        IRpcClient rpc, string signature, IReadOnlyCollection<VerifierKey> keys, CancellationToken cancellationToken)
    {
        var record = await rpc.GetTransactionAsync(signature, Commitment.Finalized, cancellationToken);
        if (record is null || record.Error is not null)
            return null;
        Transaction transaction;
        try
        {
            transaction = Transaction.Deserialize(record.Raw);
        }
        catch (FormatException)
        {
            // Other people's transactions may have forms that we do not read; ours have not.
            return null;
        }

        if (transaction.Signature != signature || !transaction.SignaturesVerify())
            throw new VerificationException($"The server's transaction {signature} does not have that signature.");
        foreach (var memo in transaction.DataFor(MemoProgram.ProgramId))
            if (CheckpointOf(memo, keys) is { } checkpoint)
                return new MemoCheckpoint(
                    signature, record.Slot, record.BlockTime, transaction.Message.AccountKeys[0], checkpoint, memo);
        return null;
    }

    /// <summary>
    /// The checkpoints by the log's <paramref name="keys"/> in transactions that name <paramref name="address"/>, newest first, back to
    /// the transaction <paramref name="until"/> (not itself) or to the first one. <paramref name="looking"/> hears of each transaction
    /// that is looked at, also of others'.
    /// </summary>
    /// <exception cref="SearchLimitException">There are more than <see cref="TransactionsMax"/>: all of the newest have been looked through.</exception>
    public static async IAsyncEnumerable<MemoCheckpoint> SearchAsync(
        IRpcClient rpc, PublicKey address, IReadOnlyCollection<VerifierKey> keys, string? until, [EnumeratorCancellation] CancellationToken cancellationToken,
        Action<string>? looking = null)
    {
        var looked = 0;
        await foreach (var row in RowsAsync(rpc, address, until, call => call(), cancellationToken))
        {
            // Those that failed hold nothing, and cost whoever sent them a fee like all others: they count.
            if (++looked > TransactionsMax)
                throw new SearchLimitException(address);
            if (row.Error is not null)
                continue;
            looking?.Invoke(row.Signature);
            if (await ReadAsync(rpc, row.Signature, keys, cancellationToken) is { } found)
                yield return found;
        }
    }

    /// <summary>
    /// The transactions that name <paramref name="address"/>, newest first, back to <paramref name="until"/> (not itself), those that
    /// failed too; <paramref name="ask"/> makes each call, and may repeat it.
    /// </summary>
    internal static async IAsyncEnumerable<SignatureInfo> RowsAsync(
        IRpcClient rpc, PublicKey address, string? until,
        Func<Func<Task<IReadOnlyList<SignatureInfo>>>, Task<IReadOnlyList<SignatureInfo>>> ask, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? before = null;
        IReadOnlyList<SignatureInfo> page;
        do
        {
            var from = before;
            page = await ask(() => rpc.GetSignaturesForAddressAsync(address, PageRows, from, until, Commitment.Finalized, cancellationToken));
            foreach (var row in page)
                yield return row;
            before = page.Count > 0 ? page[^1].Signature : null;
        }
        while (page.Count >= PageRows);
    }

    private static Checkpoint? CheckpointOf(byte[] memo, IReadOnlyCollection<VerifierKey> keys)
    {
        try
        {
            return NoteVerifier.VerifyCheckpoint(memo, keys, []).Checkpoint;
        }
        catch (Exception exception) when (exception is FormatException or VerificationException)
        {
            // Anybody may write a memo that names the address: only what the log has signed counts.
            return null;
        }
    }
}

/// <summary>A search has looked through as many transactions as it may; what it found until then counts.</summary>
public sealed class SearchLimitException(PublicKey address)
    : SolanaException($"only the newest {MemoCheckpoints.TransactionsMax} transactions of {address.Key} were looked through");
