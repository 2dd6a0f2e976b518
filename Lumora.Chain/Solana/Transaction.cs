using Lumora.Chain.Cryptography;
using SimpleBase;

namespace Lumora.Chain.Solana;

/// <summary>A signed transaction as it goes over the wire.</summary>
public sealed class Transaction
{
    /// <summary>The network's limit for a serialized transaction.</summary>
    public const int BytesMax = 1232;

    /// <summary>Bytes of a signature.</summary>
    public const int SignatureLength = 64;

    private static readonly Curve25519 Curve = new();

    private Transaction(Message message, byte[] messageBytes, IReadOnlyList<byte[]> signatures)
    {
        Message = message;
        MessageBytes = messageBytes;
        Signatures = signatures;
    }

    /// <summary>What was signed.</summary>
    public Message Message { get; }

    /// <summary>The signed bytes.</summary>
    public byte[] MessageBytes { get; }

    /// <summary>One per signer, in the order of the accounts.</summary>
    public IReadOnlyList<byte[]> Signatures { get; }

    /// <summary>The transaction's id: base58 of the fee payer's signature.</summary>
    public string Signature => Base58.Bitcoin.Encode(Signatures[0]);

    /// <summary>Signs <paramref name="message"/> with all its signers.</summary>
    public static Transaction Sign(Message message, params IReadOnlyList<Keypair> signers)
    {
        var bytes = message.Serialize();
        var signatures = message.AccountKeys.Take(message.RequiredSignatures).Select(key =>
            signers.FirstOrDefault(signer => signer.PublicKey == key)?.Sign(bytes)
            ?? throw new InvalidOperationException($"The key of signer {key} is missing."));
        return new Transaction(message, bytes, [.. signatures]);
    }

    /// <summary>The wire bytes; throws when they exceed <see cref="BytesMax"/>.</summary>
    public byte[] Serialize()
    {
        using var output = new MemoryStream(BytesMax);
        CompactLength.Write(output, Signatures.Count);
        foreach (var signature in Signatures)
            output.Write(signature);
        output.Write(MessageBytes);
        return output.Length <= BytesMax
            ? output.ToArray()
            : throw new InvalidOperationException($"The transaction has {output.Length} bytes; {BytesMax} are allowed.");
    }

    /// <summary>Reads wire bytes; throws <see cref="FormatException"/> when they are not one transaction.</summary>
    public static Transaction Deserialize(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > BytesMax)
            throw new FormatException($"The transaction has {bytes.Length} bytes; {BytesMax} are allowed.");
        var rest = bytes;
        var count = CompactLength.Read(ref rest);
        if (rest.Length < count * SignatureLength)
            throw new FormatException("The signatures are cut off.");
        var signatures = new List<byte[]>(count);
        for (; signatures.Count < count; rest = rest[SignatureLength..])
            signatures.Add(rest[..SignatureLength].ToArray());
        var message = Message.Deserialize(rest);
        return message.RequiredSignatures == count
            ? new Transaction(message, rest.ToArray(), signatures)
            : throw new FormatException("The number of signatures is not the one of the header.");
    }

    /// <summary>True when every signature is valid.</summary>
    public bool SignaturesVerify() =>
        !Signatures.Where((signature, index) =>
            !Curve.Ed25519Verify(Message.AccountKeys[index].KeyBytes, MessageBytes, signature)).Any();

    /// <summary>The data of each instruction to <paramref name="program"/>, in order.</summary>
    public IEnumerable<byte[]> DataFor(PublicKey program) =>
        Message.Instructions
            .Where(instruction => Message.AccountKeys[instruction.ProgramIdIndex] == program)
            .Select(instruction => instruction.Data);
}
