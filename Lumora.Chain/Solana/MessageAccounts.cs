namespace Lumora.Chain.Solana;

/// <summary>The accounts of a message, merged and ordered.</summary>
internal static class MessageAccounts
{
    /// <summary>Indices are one byte.</summary>
    private const int AccountsMax = 256;

    /// <summary>Fee payer first; then by group; within a group by address.</summary>
    public static List<AccountMeta> Collect(PublicKey feePayer, IReadOnlyList<TransactionInstruction> instructions)
    {
        var merged = new Dictionary<PublicKey, AccountMeta>();
        foreach (var instruction in instructions)
        {
            Merge(merged, AccountMeta.ReadOnly(instruction.ProgramId));
            foreach (var meta in instruction.Keys)
                Merge(merged, meta);
        }

        merged.Remove(feePayer);
        List<AccountMeta> accounts =
        [
            AccountMeta.Writable(feePayer, isSigner: true),
            .. merged.Values
                .OrderByDescending(meta => meta.IsSigner)
                .ThenByDescending(meta => meta.IsWritable)
                .ThenBy(meta => meta.PublicKey.Key, AddressOrder.Instance),
        ];
        return accounts.Count <= AccountsMax
            ? accounts
            : throw new InvalidOperationException($"A message names at most {AccountsMax} accounts.");
    }

    private static void Merge(Dictionary<PublicKey, AccountMeta> merged, AccountMeta meta)
    {
        if (merged.TryGetValue(meta.PublicKey, out var known))
        {
            meta = new AccountMeta(
                meta.PublicKey, meta.IsSigner || known.IsSigner, meta.IsWritable || known.IsWritable);
        }

        merged[meta.PublicKey] = meta;
    }

    /// <summary>
    /// @solana/kit's order of addresses (an English collation of base58): digits, then letters without regard to
    /// case; on a tie the lower-case letter first. The network accepts any order; one order gives one set of bytes.
    /// </summary>
    private sealed class AddressOrder : IComparer<string>
    {
        public static readonly AddressOrder Instance = new();

        public int Compare(string? x, string? y)
        {
            var byLetter = string.CompareOrdinal(x?.ToUpperInvariant(), y?.ToUpperInvariant());
            // Ordinal puts upper case before lower case, the collation the other way round.
            return byLetter != 0 ? byLetter : string.CompareOrdinal(y, x);
        }
    }
}
