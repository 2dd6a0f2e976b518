using System.Text;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Programs;

namespace Lumora.Cli.Audit;

/// <summary>Checks a transaction that an event archives, as anybody can who has its bytes.</summary>
internal static class AnchorTransaction
{
    /// <summary>Reads wire bytes in base64, which must be of one transaction with good signatures.</summary>
    /// <param name="raw">The wire bytes.</param>
    /// <param name="signature">The id that the event names.</param>
    /// <param name="payer">Who must have paid.</param>
    /// <param name="memo">What its only memo must be.</param>
    /// <param name="fault">What is wrong, or null.</param>
    /// <returns>The transaction; null where the bytes are none.</returns>
    public static Transaction? Read(string raw, string signature, string payer, string memo, out string? fault)
    {
        Transaction transaction;
        try
        {
            var bytes = Convert.FromBase64String(raw);
            if (Convert.ToBase64String(bytes) != raw)
                throw new FormatException("its base64 is not canonical.");
            transaction = Transaction.Deserialize(bytes);
        }
        catch (FormatException exception)
        {
            fault = $"its transaction cannot be read: {exception.Message}";
            return null;
        }

        fault = FaultOf(transaction, signature, payer, memo);
        return transaction;
    }

    private static string? FaultOf(Transaction transaction, string signature, string payer, string memo)
    {
        if (transaction.Signature != signature)
            return $"its transaction is {transaction.Signature}, the event names {signature}";
        if (!transaction.SignaturesVerify())
            return $"a signature of its transaction {signature} is bad";
        if (transaction.Message.AccountKeys[0].Key is var paid && paid != payer)
            return $"its transaction {signature} is paid for by {paid}, not by {payer}";
        var memos = transaction.DataFor(MemoProgram.ProgramId).ToList();
        if (memos.Count != 1)
            return $"its transaction {signature} has {memos.Count} memos, not one";
        return memos[0].AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(memo))
            ? null
            : $"the memo of its transaction {signature} is not the checkpoint that was prepared";
    }
}
