namespace Lumora.Chain.Solana.Programs;

/// <summary>Associated token accounts: the one default token account of a wallet and a mint.</summary>
public static class AssociatedTokenAccountProgram
{
    /// <summary>Its address.</summary>
    public static PublicKey ProgramId { get; } = new("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");

    /// <summary>The address of the token account of <paramref name="owner"/> for <paramref name="mint"/>.</summary>
    public static PublicKey DeriveAssociatedTokenAccount(PublicKey owner, PublicKey mint) =>
        PublicKey.FindProgramAddress(ProgramId, owner.KeyBytes, TokenProgram.ProgramId.KeyBytes, mint.KeyBytes).Address;

    /// <summary>Makes the account; does nothing when it exists already.</summary>
    public static TransactionInstruction CreateIdempotent(PublicKey payer, PublicKey owner, PublicKey mint) =>
        Create(payer, owner, mint, code: 1);

    /// <summary>Makes the account; fails when it exists already.</summary>
    public static TransactionInstruction CreateAssociatedTokenAccount(PublicKey payer, PublicKey owner, PublicKey mint) =>
        Create(payer, owner, mint, code: 0);

    private static TransactionInstruction Create(PublicKey payer, PublicKey owner, PublicKey mint, byte code) => new(
        ProgramId,
        [
            AccountMeta.Writable(payer, isSigner: true),
            AccountMeta.Writable(DeriveAssociatedTokenAccount(owner, mint)),
            AccountMeta.ReadOnly(owner), AccountMeta.ReadOnly(mint),
            AccountMeta.ReadOnly(SystemProgram.ProgramId), AccountMeta.ReadOnly(TokenProgram.ProgramId),
        ],
        [code]);
}
