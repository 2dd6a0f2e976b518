using static Lumora.Chain.Solana.Programs.InstructionData;

namespace Lumora.Chain.Solana.Programs;

/// <summary>SPL Token: mints, token accounts, transfers.</summary>
public static class TokenProgram
{
    /// <summary>Its address.</summary>
    public static PublicKey ProgramId { get; } = new("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");

    /// <summary>Bytes of a mint.</summary>
    public const int MintAccountBytes = 82;

    /// <summary>Bytes of a token account.</summary>
    public const int TokenAccountBytes = 165;

    private const byte TransferCode = 3;
    private const byte ApproveCode = 4;
    private const byte MintToCode = 7;
    private const byte TransferCheckedCode = 12;
    private const byte InitializeMint2Code = 20;

    /// <summary>Makes a created account a mint.</summary>
    public static TransactionInstruction InitializeMint(
        PublicKey mint, byte decimals, PublicKey mintAuthority, PublicKey? freezeAuthority = null) => new(
        ProgramId,
        [AccountMeta.Writable(mint)],
        [
            InitializeMint2Code, decimals, .. mintAuthority.KeyBytes,
            .. freezeAuthority is { } authority ? (byte[])[1, .. authority.KeyBytes] : [0],
        ]);

    /// <summary>Makes <paramref name="amount"/> new base units.</summary>
    public static TransactionInstruction MintTo(
        PublicKey mint, PublicKey destination, ulong amount, PublicKey mintAuthority) => new(
        ProgramId,
        [
            AccountMeta.Writable(mint), AccountMeta.Writable(destination),
            AccountMeta.ReadOnly(mintAuthority, isSigner: true),
        ],
        [MintToCode, .. UInt64(amount)]);

    /// <summary>Moves tokens between two token accounts and checks mint and decimals.</summary>
    public static TransactionInstruction TransferChecked(
        PublicKey source, PublicKey destination, ulong amount, byte decimals, PublicKey authority, PublicKey mint) => new(
        ProgramId,
        [
            AccountMeta.Writable(source), AccountMeta.ReadOnly(mint), AccountMeta.Writable(destination),
            AccountMeta.ReadOnly(authority, isSigner: true),
        ],
        [TransferCheckedCode, .. UInt64(amount), decimals]);

    /// <summary>Moves tokens between two token accounts.</summary>
    public static TransactionInstruction Transfer(
        PublicKey source, PublicKey destination, ulong amount, PublicKey authority) => new(
        ProgramId,
        [
            AccountMeta.Writable(source), AccountMeta.Writable(destination),
            AccountMeta.ReadOnly(authority, isSigner: true),
        ],
        [TransferCode, .. UInt64(amount)]);

    /// <summary>Lets <paramref name="delegate"/> move up to <paramref name="amount"/> out of an account.</summary>
    public static TransactionInstruction Approve(
        PublicKey source, PublicKey @delegate, PublicKey owner, ulong amount) => new(
        ProgramId,
        [
            AccountMeta.Writable(source), AccountMeta.ReadOnly(@delegate),
            AccountMeta.ReadOnly(owner, isSigner: true),
        ],
        [ApproveCode, .. UInt64(amount)]);

    /// <summary>
    /// Reads a transfer (plain or checked): amount and the positions of source, destination and authority among the
    /// instruction's accounts; null when the instruction is something else.
    /// </summary>
    public static TokenTransfer? ReadTransfer(ReadOnlySpan<byte> data) => data switch
    {
        [TransferCode, ..] when data.Length >= 9 =>
                new TokenTransfer(System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(data[1..9]), 0, 1, 2),
        [TransferCheckedCode, ..] when data.Length >= 10 =>
                new TokenTransfer(System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(data[1..9]), 0, 2, 3),
        _ => null,
    };
}

/// <summary>A transfer of tokens as an instruction orders it.</summary>
/// <param name="Amount">Base units.</param>
/// <param name="SourceIndex">Position of the source account.</param>
/// <param name="DestinationIndex">Position of the destination account.</param>
/// <param name="AuthorityIndex">Position of the owner or delegate.</param>
public sealed record TokenTransfer(ulong Amount, int SourceIndex, int DestinationIndex, int AuthorityIndex);
