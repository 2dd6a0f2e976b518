using System.Buffers;
using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Merkle;

/// <summary>
/// A node of a Merkle tree after RFC 6962 §2.1: 32 bytes of SHA-256, with the prefix byte that keeps leaves (0x00)
/// and inner nodes (0x01) apart.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly struct MerkleHash : IEquatable<MerkleHash>
{
    /// <summary>Bytes of a hash.</summary>
    public const int Size = 32;

    /// <summary>What stands in front of the two children that an inner node hashes.</summary>
    internal const byte NodePrefix = 1;

    /// <summary>Characters of a hash in base64.</summary>
    public const int Base64Size = 44;

    private const int StackBytesMax = 1024;
    private const byte LeafPrefix = 0;

    // Making and freeing one costs as much as hashing a node does.
    [ThreadStatic]
    private static IncrementalHash? t_sha256;

    private readonly Bytes32 bytes;

    /// <summary>Takes 32 bytes as they are.</summary>
    /// <exception cref="ArgumentException"><paramref name="hash"/> has another length.</exception>
    public MerkleHash(ReadOnlySpan<byte> hash)
    {
        if (hash.Length != Size)
            throw new ArgumentException($"A Merkle hash has {Size} bytes, not {hash.Length}.", nameof(hash));
        hash.CopyTo(bytes);
    }

    /// <summary>The root of the tree without leaves: SHA-256 of nothing.</summary>
    public static MerkleHash EmptyRoot { get; } = new(SHA256.HashData(ReadOnlySpan<byte>.Empty));

    /// <summary>The leaf hash of <paramref name="entry"/>: SHA-256(0x00 ‖ entry).</summary>
    public static MerkleHash OfLeaf(ReadOnlySpan<byte> entry)
    {
        var length = entry.Length + 1;
        var rented = length > StackBytesMax ? ArrayPool<byte>.Shared.Rent(length) : null;
        var input = rented is null ? stackalloc byte[StackBytesMax] : rented.AsSpan();
        input[0] = LeafPrefix;
        entry.CopyTo(input[1..]);
        Span<byte> hash = stackalloc byte[Size];
        Hash(input[..length], hash);
        if (rented is not null)
            ArrayPool<byte>.Shared.Return(rented);
        return new MerkleHash(hash);
    }

    /// <summary>The hash of the node above <paramref name="left"/> and <paramref name="right"/>: SHA-256(0x01 ‖ l ‖ r).</summary>
    public static MerkleHash OfChildren(in MerkleHash left, in MerkleHash right)
    {
        Span<byte> input = stackalloc byte[1 + Size + Size];
        input[0] = NodePrefix;
        left.CopyTo(input[1..]);
        right.CopyTo(input[(1 + Size)..]);
        Span<byte> hash = stackalloc byte[Size];
        Hash(input, hash);
        return new MerkleHash(hash);
    }

    /// <summary>
    /// The nodes above neighbours: node i is <see cref="OfChildren"/> of children 2i and 2i + 1. Several times faster than one by one.
    /// </summary>
    /// <param name="children">An even number of hashes.</param>
    /// <param name="parents">Takes half as many; may begin where <paramref name="children"/> does.</param>
    /// <exception cref="ArgumentException">The number is odd, or <paramref name="parents"/> is too short.</exception>
    public static void OfPairs(ReadOnlySpan<MerkleHash> children, Span<MerkleHash> parents)
    {
        if (children.Length % 2 != 0)
            throw new ArgumentException($"{children.Length} hashes are no pairs.", nameof(children));
        var count = children.Length / 2;
        if (parents.Length < count)
            throw new ArgumentException($"{count} nodes do not fit into {parents.Length}.", nameof(parents));
        var i = 0;
        if (NodeLanes.IsSupported)
            for (; i + NodeLanes.Count <= count; i += NodeLanes.Count)
                NodeLanes.Hash(children[(2 * i)..], parents[i..]);
        for (; i < count; i++)
            parents[i] = OfChildren(children[2 * i], children[(2 * i) + 1]);
    }

    /// <summary>Reads 64 lower-case hexadecimal digits, the only spelling that we write.</summary>
    public static bool TryParseHex(string? text, out MerkleHash hash)
    {
        hash = default;
        Span<byte> raw = stackalloc byte[Size];
        if (text?.Length != Size * 2 || text.AsSpan().ContainsAnyInRange('A', 'F'))
            return false;
        if (Convert.FromHexString(text, raw, out _, out _) != OperationStatus.Done)
            return false;
        hash = new MerkleHash(raw);
        return true;
    }

    /// <summary>Reads standard base64 of 32 bytes in its canonical spelling (no spaces, no stray pad bits).</summary>
    public static bool TryParseBase64(string? text, out MerkleHash hash)
    {
        hash = default;
        Span<byte> raw = stackalloc byte[Size];
        if (text is null || !Convert.TryFromBase64String(text, raw, out var length) || length != Size)
            return false;
        var parsed = new MerkleHash(raw);
        // .NET reads "AB==" and inner spaces too: only what we would write ourselves is taken.
        if (!string.Equals(parsed.ToBase64(), text, StringComparison.Ordinal))
            return false;
        hash = parsed;
        return true;
    }

    /// <summary>Copies the 32 bytes to the start of <paramref name="destination"/>.</summary>
    public void CopyTo(Span<byte> destination) => ((ReadOnlySpan<byte>)bytes).CopyTo(destination);

    /// <summary>A new array of the 32 bytes.</summary>
    public byte[] ToArray() => ((ReadOnlySpan<byte>)bytes).ToArray();

    /// <summary>Standard base64, as checkpoints and proofs spell hashes.</summary>
    public string ToBase64() => Convert.ToBase64String(bytes);

    /// <summary>Writes <see cref="ToBase64"/>, <see cref="Base64Size"/> bytes of ASCII, to the start of <paramref name="destination"/>.</summary>
    public void CopyBase64To(Span<byte> destination) =>
        Check.That(Base64.EncodeToUtf8(bytes, destination, out _, out _) == OperationStatus.Done);

    /// <summary>Lower-case hexadecimal.</summary>
    public override string ToString() => Convert.ToHexStringLower(bytes);

    /// <inheritdoc/>
    public bool Equals(MerkleHash other) => ((ReadOnlySpan<byte>)bytes).SequenceEqual(other.bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is MerkleHash other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => MemoryMarshal.Read<int>(bytes);

    /// <summary>Same bytes.</summary>
    public static bool operator ==(MerkleHash left, MerkleHash right) => left.Equals(right);

    /// <summary>Other bytes.</summary>
    public static bool operator !=(MerkleHash left, MerkleHash right) => !left.Equals(right);

    private static void Hash(ReadOnlySpan<byte> input, Span<byte> hash)
    {
        var sha256 = t_sha256 ??= IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha256.AppendData(input);
        sha256.GetHashAndReset(hash);
    }

    [InlineArray(Size)]
    private struct Bytes32
    {
        private byte first;
    }
}
