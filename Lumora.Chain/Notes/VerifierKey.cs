using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Lumora.Chain.Notes;

/// <summary>What a signature of a note says, by the type byte of its key (C2SP signed-note).</summary>
public enum SignatureKind
{
    /// <summary>Ed25519 over the note's text: how a log signs.</summary>
    Ed25519 = 1,

    /// <summary>Ed25519 over a time and the note's text: how a witness signs (cosignature/v1).</summary>
    CosignatureV1 = 4,

    /// <summary>ML-DSA-44 over a time, the witness's name and the checkpoint's tree (subtree/v1).</summary>
    MlDsa44 = 6,
}

/// <summary>A public key that signs notes, with the name it signs under: a C2SP <c>vkey</c>.</summary>
public sealed class VerifierKey : IEquatable<VerifierKey>
{
    private const int Ed25519Bytes = 32;

    private readonly byte[] _publicKey;

    /// <summary>The key <paramref name="publicKey"/> (32 bytes of Ed25519, 1,312 of ML-DSA-44) under <paramref name="name"/>.</summary>
    /// <exception cref="ArgumentException">The name or the key has the wrong form.</exception>
    public VerifierKey(string name, SignatureKind kind, ReadOnlySpan<byte> publicKey)
    {
        if (!IsName(name))
            throw new ArgumentException($"\"{name}\" is no key name: it may not be empty nor hold spaces or '+'.", nameof(name));
        if (publicKey.Length != LengthOf(kind))
            throw new ArgumentException($"An {AlgorithmOf(kind)} key has {LengthOf(kind)} bytes, not {publicKey.Length}.", nameof(publicKey));
        Name = name;
        Kind = kind;
        _publicKey = publicKey.ToArray();
        Id = IdOf(name, kind, publicKey);
    }

    /// <summary>The key's name: a schema-less URL by convention.</summary>
    public string Name { get; }

    /// <summary>What its signatures say.</summary>
    public SignatureKind Kind { get; }

    /// <summary>The first 4 bytes of SHA-256(name ‖ 0x0A ‖ type ‖ key), big-endian: tells keys of one name apart.</summary>
    public uint Id { get; }

    /// <summary>32 bytes of Ed25519, or 1,312 of ML-DSA-44.</summary>
    public ReadOnlySpan<byte> PublicKey => _publicKey;

    /// <summary>Whether it is a witness's: its signatures have a time.</summary>
    public bool Cosigns => Kind is SignatureKind.CosignatureV1 or SignatureKind.MlDsa44;

    /// <summary>Reads <c>name+hex(id)+base64(type ‖ key)</c>.</summary>
    /// <exception cref="FormatException">It is no vkey of a type that we know; the message says why.</exception>
    public static VerifierKey Parse(string vkey)
    {
        // Split at the first two '+': the base64 may hold more.
        var parts = vkey.Split('+', 3);
        if (parts.Length != 3 || !IsName(parts[0]))
            throw new FormatException("A verifier key is written name+id+key.");
        var blob = StrictText.TryBase64(parts[2], out var decoded) ? decoded : [];
        var kind = blob.Length > 0 ? (SignatureKind)blob[0] : SignatureKind.Ed25519;
        if (!Enum.IsDefined(kind))
            throw new FormatException($"The verifier key of {parts[0]} has the unknown type {blob[0]}.");
        if (blob.Length != 1 + LengthOf(kind))
            throw new FormatException($"The verifier key of {parts[0]} holds no {AlgorithmOf(kind)} key.");
        var key = new VerifierKey(parts[0], kind, blob.AsSpan(1));
        return string.Equals(key.ToString(), vkey, StringComparison.Ordinal)
            ? key
            : throw new FormatException($"The verifier key of {parts[0]} does not have the id that it says.");
    }

    /// <summary>True for a non-empty name without Unicode spaces, '+' and control characters of ASCII below the space.</summary>
    public static bool IsName(string name) =>
        name.Length > 0 && !name.Any(c => char.IsWhiteSpace(c) || c is < ' ' or '+');

    /// <summary>The vkey, as it is published.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Name}+{Id:x8}+{Convert.ToBase64String([(byte)Kind, .. _publicKey])}");

    /// <inheritdoc/>
    public bool Equals(VerifierKey? other) =>
        other is not null && Kind == other.Kind && Name == other.Name && PublicKey.SequenceEqual(other.PublicKey);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as VerifierKey);

    /// <inheritdoc/>
    public override int GetHashCode() => (int)(Id & int.MaxValue);

    private static int LengthOf(SignatureKind kind) => kind == SignatureKind.MlDsa44 ? MlDsa44.PublicKeyBytes : Ed25519Bytes;

    private static string AlgorithmOf(SignatureKind kind) => kind == SignatureKind.MlDsa44 ? "ML-DSA-44" : "Ed25519";

    private static uint IdOf(string name, SignatureKind kind, ReadOnlySpan<byte> publicKey) =>
        BinaryPrimitives.ReadUInt32BigEndian(
            SHA256.HashData([.. Encoding.UTF8.GetBytes(name), (byte)'\n', (byte)kind, .. publicKey]));
}
