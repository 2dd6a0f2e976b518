using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Lumora.Domain.Merkle;

/// <summary>
/// SHA-256 (FIPS 180-4) of the inputs of eight inner nodes at once, one in each lane of a vector. A call into the platform's library
/// costs several times what hashing 65 bytes does, and a tile has 255 nodes; nothing here is secret. Everything but whole nodes goes
/// through the platform's SHA-256.
/// </summary>
internal static class NodeLanes
{
    /// <summary>Nodes that are hashed at once.</summary>
    public const int Count = 8;

    private const int ChildrenBytes = 2 * MerkleHash.Size;
    private const int BlockWords = 16;
    private const int WordBytes = 4;

    /// <summary>Whether this processor has vectors; without them one call for each node is faster.</summary>
    public static bool IsSupported => Vector256.IsHardwareAccelerated || Vector128.IsHardwareAccelerated;

    // FIPS 180-4 §4.2.2: the first 32 bits of the fractional parts of the cube roots of the first 64 primes.
    private static ReadOnlySpan<uint> RoundConstants =>
    [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    ];

    // FIPS 180-4 §5.3.3: the same of the square roots of the first eight.
    private static ReadOnlySpan<uint> InitialState =>
        [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

    /// <summary>Hashes 16 children, two for each node, to eight nodes.</summary>
    public static void Hash(ReadOnlySpan<MerkleHash> children, Span<MerkleHash> parents)
    {
        var input = MemoryMarshal.AsBytes(children[..(2 * Count)]);
        var output = MemoryMarshal.AsBytes(parents[..Count]);
        Span<Vector256<uint>> block = stackalloc Vector256<uint>[BlockWords];
        Span<Vector256<uint>> state = stackalloc Vector256<uint>[InitialState.Length];
        for (var i = 0; i < state.Length; i++)
            state[i] = Vector256.Create(InitialState[i]);

        // The prefix moves everything by a byte: 0x01 ‖ 63 bytes fill the first block.
        var lanes = MemoryMarshal.Cast<Vector256<uint>, uint>(block);
        for (var lane = 0; lane < Count; lane++)
        {
            var message = input.Slice(lane * ChildrenBytes, ChildrenBytes);
            lanes[lane] = ((uint)MerkleHash.NodePrefix << 24) | (BinaryPrimitives.ReadUInt32BigEndian(message) >> 8);
            for (var word = 1; word < BlockWords; word++)
                lanes[(word * Count) + lane] = BinaryPrimitives.ReadUInt32BigEndian(message[((word * WordBytes) - 1)..]);
        }

        Compress(block, state);

        // The second has the last byte, the padding's 1-bit and the length of 65 bytes in bits (§5.1.1).
        block.Clear();
        for (var lane = 0; lane < Count; lane++)
            lanes[lane] = ((uint)input[((lane + 1) * ChildrenBytes) - 1] << 24) | (0x80 << 16);
        block[BlockWords - 1] = Vector256.Create((1u + ChildrenBytes) * 8);
        Compress(block, state);

        var words = MemoryMarshal.Cast<Vector256<uint>, uint>(state);
        for (var lane = 0; lane < Count; lane++)
            for (var word = 0; word < state.Length; word++)
                BinaryPrimitives.WriteUInt32BigEndian(
                    output[((lane * MerkleHash.Size) + (word * WordBytes))..], words[(word * Count) + lane]);
    }

    // §6.2.2, with the message schedule in a ring of 16 words.
    private static void Compress(Span<Vector256<uint>> w, Span<Vector256<uint>> state)
    {
        var (a, b, c, d) = (state[0], state[1], state[2], state[3]);
        var (e, f, g, h) = (state[4], state[5], state[6], state[7]);
        for (var t = 0; t < RoundConstants.Length; t++)
        {
            if (t >= BlockWords)
                w[t & 15] += Small(w[(t + 1) & 15], 7, 18, 3) + w[(t + 9) & 15] + Small(w[(t + 14) & 15], 17, 19, 10);
            var t1 = h + Big(e, 6, 11, 25) + (g ^ (e & (f ^ g))) + Vector256.Create(RoundConstants[t]) + w[t & 15];
            var t2 = Big(a, 2, 13, 22) + ((a & b) | (c & (a | b)));
            (h, g, f, e) = (g, f, e, d + t1);
            (d, c, b, a) = (c, b, a, t1 + t2);
        }

        (state[0], state[1], state[2], state[3]) = (state[0] + a, state[1] + b, state[2] + c, state[3] + d);
        (state[4], state[5], state[6], state[7]) = (state[4] + e, state[5] + f, state[6] + g, state[7] + h);
    }

    // Σ and σ of §4.1.2.
    private static Vector256<uint> Big(Vector256<uint> x, int r1, int r2, int r3) => Rotate(x, r1) ^ Rotate(x, r2) ^ Rotate(x, r3);

    private static Vector256<uint> Small(Vector256<uint> x, int r1, int r2, int shift) => Rotate(x, r1) ^ Rotate(x, r2) ^ (x >>> shift);

    private static Vector256<uint> Rotate(Vector256<uint> x, int count) => (x >>> count) | (x << (32 - count));
}
