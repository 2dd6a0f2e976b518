using static Lumora.Chain.Solana.Programs.InstructionData;

namespace Lumora.Chain.Solana.Programs;

/// <summary>The system program: accounts, SOL and durable nonces.</summary>
public static class SystemProgram
{
    /// <summary>Its address.</summary>
    public static PublicKey ProgramId { get; } = new("11111111111111111111111111111111");

    /// <summary>The sysvar that nonce instructions read.</summary>
    public static PublicKey RecentBlockhashesSysvar { get; } = new("SysvarRecentB1ockHashes11111111111111111111");

    /// <summary>The rent sysvar.</summary>
    public static PublicKey RentSysvar { get; } = new("SysvarRent111111111111111111111111111111111");

    /// <summary>Bytes of a nonce account.</summary>
    public const int NonceAccountBytes = 80;

    /// <summary>Makes an account of <paramref name="space"/> bytes that <paramref name="owner"/> owns.</summary>
    public static TransactionInstruction CreateAccount(
        PublicKey from, PublicKey newAccount, ulong lamports, ulong space, PublicKey owner) => new(
        ProgramId,
        [AccountMeta.Writable(from, isSigner: true), AccountMeta.Writable(newAccount, isSigner: true)],
        [.. UInt32(0), .. UInt64(lamports), .. UInt64(space), .. owner.KeyBytes]);

    /// <summary>Moves lamports.</summary>
    public static TransactionInstruction Transfer(PublicKey from, PublicKey to, ulong lamports) => new(
        ProgramId,
        [AccountMeta.Writable(from, isSigner: true), AccountMeta.Writable(to)],
        [.. UInt32(2), .. UInt64(lamports)]);

    /// <summary>Uses up a durable nonce; must be the first instruction of its transaction.</summary>
    public static TransactionInstruction AdvanceNonceAccount(PublicKey nonceAccount, PublicKey authority) => new(
        ProgramId,
        [
            AccountMeta.Writable(nonceAccount), AccountMeta.ReadOnly(RecentBlockhashesSysvar),
            AccountMeta.ReadOnly(authority, isSigner: true),
        ],
        UInt32(4));

    /// <summary>Makes a created account a nonce account.</summary>
    public static TransactionInstruction InitializeNonceAccount(PublicKey nonceAccount, PublicKey authority) => new(
        ProgramId,
        [
            AccountMeta.Writable(nonceAccount), AccountMeta.ReadOnly(RecentBlockhashesSysvar),
            AccountMeta.ReadOnly(RentSysvar),
        ],
        [.. UInt32(6), .. authority.KeyBytes]);
}
