namespace Lumora.Chain.Solana;

/// <summary>An account that an instruction uses.</summary>
/// <param name="PublicKey">The address.</param>
/// <param name="IsSigner">Its key must sign.</param>
/// <param name="IsWritable">It may change.</param>
public sealed record AccountMeta(PublicKey PublicKey, bool IsSigner, bool IsWritable)
{
    /// <summary>May change.</summary>
    public static AccountMeta Writable(PublicKey key, bool isSigner = false) => new(key, isSigner, IsWritable: true);

    /// <summary>Is only read.</summary>
    public static AccountMeta ReadOnly(PublicKey key, bool isSigner = false) => new(key, isSigner, IsWritable: false);
}

/// <summary>One call of a program.</summary>
/// <param name="ProgramId">The program.</param>
/// <param name="Keys">The accounts, in the order that the program expects.</param>
/// <param name="Data">The program's own bytes.</param>
public sealed record TransactionInstruction(PublicKey ProgramId, IReadOnlyList<AccountMeta> Keys, byte[] Data);
