using SimpleBase;

namespace Lumora.Chain.Solana;

/// <summary>Which message format a transaction uses.</summary>
public enum MessageVersion
{
    /// <summary>The first format, without a version byte.</summary>
    Legacy,

    /// <summary>Version 0 (byte 0x80); here without address lookup tables.</summary>
    V0,
}

/// <summary>An instruction with indices into the message's accounts.</summary>
/// <param name="ProgramIdIndex">Index of the program.</param>
/// <param name="KeyIndices">Indices of the accounts.</param>
/// <param name="Data">The program's bytes.</param>
public sealed record CompiledInstruction(byte ProgramIdIndex, byte[] KeyIndices, byte[] Data);

/// <summary>
/// What the signers of a transaction sign: header, accounts, recent blockhash (or nonce), instructions.
/// Accounts stand in four groups (signers that change, signers, accounts that change, the rest).
/// </summary>
public sealed record Message
{
    private const byte VersionBit = 0x80;
    private const int HashLength = 32;

    /// <summary>The format.</summary>
    public required MessageVersion Version { get; init; }

    /// <summary>Signatures needed; the first accounts are the signers.</summary>
    public required byte RequiredSignatures { get; init; }

    /// <summary>Of the signers, how many (the last) are only read.</summary>
    public required byte ReadOnlySigned { get; init; }

    /// <summary>Of the other accounts, how many (the last) are only read.</summary>
    public required byte ReadOnlyUnsigned { get; init; }

    /// <summary>All accounts; the fee payer is the first.</summary>
    public required IReadOnlyList<PublicKey> AccountKeys { get; init; }

    /// <summary>Base58 of the blockhash or durable nonce.</summary>
    public required string RecentBlockhash { get; init; }

    /// <summary>The calls, in order.</summary>
    public required IReadOnlyList<CompiledInstruction> Instructions { get; init; }

    /// <summary>Compiles instructions. Accounts of a group are ordered by address, as @solana/kit does.</summary>
    public static Message Compile(
        PublicKey feePayer, string recentBlockhash, IReadOnlyList<TransactionInstruction> instructions,
        MessageVersion version = MessageVersion.V0)
    {
        var accounts = MessageAccounts.Collect(feePayer, instructions);
        return new Message
        {
            Version = version,
            RequiredSignatures = checked((byte)accounts.Count(meta => meta.IsSigner)),
            ReadOnlySigned = checked((byte)accounts.Count(meta => meta is { IsSigner: true, IsWritable: false })),
            ReadOnlyUnsigned = checked((byte)accounts.Count(meta => meta is { IsSigner: false, IsWritable: false })),
            AccountKeys = [.. accounts.Select(meta => meta.PublicKey)],
            RecentBlockhash = recentBlockhash,
            Instructions = [.. instructions.Select(instruction => CompileOne(instruction, accounts))],
        };
    }

    /// <summary>The bytes that are signed.</summary>
    public byte[] Serialize()
    {
        var blockhash = new PublicKey(RecentBlockhash).KeyBytes;
        using var output = new MemoryStream(256);
        if (Version == MessageVersion.V0)
            output.WriteByte(VersionBit);
        output.Write([RequiredSignatures, ReadOnlySigned, ReadOnlyUnsigned]);
        CompactLength.Write(output, AccountKeys.Count);
        foreach (var key in AccountKeys)
            output.Write(key.KeyBytes);
        output.Write(blockhash);
        CompactLength.Write(output, Instructions.Count);
        foreach (var instruction in Instructions)
        {
            output.WriteByte(instruction.ProgramIdIndex);
            CompactLength.Write(output, instruction.KeyIndices.Length);
            output.Write(instruction.KeyIndices);
            CompactLength.Write(output, instruction.Data.Length);
            output.Write(instruction.Data);
        }

        if (Version == MessageVersion.V0)
            CompactLength.Write(output, 0);
        return output.ToArray();
    }

    /// <summary>Reads a message; throws <see cref="FormatException"/> on anything that is not exactly one.</summary>
    public static Message Deserialize(ReadOnlySpan<byte> bytes)
    {
        var rest = bytes;
        var version = !rest.IsEmpty && (rest[0] & VersionBit) != 0 ? MessageVersion.V0 : MessageVersion.Legacy;
        if (version == MessageVersion.V0 && Take(ref rest, 1)[0] != VersionBit)
            throw new FormatException("Only legacy messages and version 0 are known.");
        var header = Take(ref rest, 3);
        var keys = ReadKeys(ref rest);
        var blockhash = Base58.Bitcoin.Encode(Take(ref rest, HashLength));
        var instructions = ReadInstructions(ref rest, keys.Count);
        if (version == MessageVersion.V0 && CompactLength.Read(ref rest) != 0)
            throw new FormatException("Address lookup tables are not supported.");
        if (!rest.IsEmpty)
            throw new FormatException("Bytes follow the message.");
        if (header[0] == 0 || header[0] > keys.Count || header[1] >= header[0] || header[2] > keys.Count - header[0])
            throw new FormatException("The message header does not fit its accounts.");
        return new Message
        {
            Version = version,
            RequiredSignatures = header[0],
            ReadOnlySigned = header[1],
            ReadOnlyUnsigned = header[2],
            AccountKeys = keys,
            RecentBlockhash = blockhash,
            Instructions = instructions,
        };
    }

    private static List<PublicKey> ReadKeys(ref ReadOnlySpan<byte> rest)
    {
        var keys = new List<PublicKey>();
        for (var left = CompactLength.Read(ref rest); left > 0; left--)
            keys.Add(new PublicKey(Take(ref rest, PublicKey.Length)));
        return keys;
    }

    private static List<CompiledInstruction> ReadInstructions(ref ReadOnlySpan<byte> rest, int accounts)
    {
        var instructions = new List<CompiledInstruction>();
        for (var left = CompactLength.Read(ref rest); left > 0; left--)
        {
            var program = Take(ref rest, 1)[0];
            var indices = Take(ref rest, CompactLength.Read(ref rest)).ToArray();
            var data = Take(ref rest, CompactLength.Read(ref rest)).ToArray();
            if (program >= accounts || indices.Any(index => index >= accounts))
                throw new FormatException("An instruction names an account that the message lacks.");
            instructions.Add(new CompiledInstruction(program, indices, data));
        }

        return instructions;
    }

    private static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> rest, int count)
    {
        if (rest.Length < count)
            throw new FormatException("The message is cut off.");
        var taken = rest[..count];
        rest = rest[count..];
        return taken;
    }

    private static CompiledInstruction CompileOne(TransactionInstruction instruction, List<AccountMeta> accounts)
    {
        byte IndexOf(PublicKey key) => checked((byte)accounts.FindIndex(meta => meta.PublicKey == key));
        return new CompiledInstruction(
            IndexOf(instruction.ProgramId), [.. instruction.Keys.Select(meta => IndexOf(meta.PublicKey))],
            instruction.Data);
    }
}
