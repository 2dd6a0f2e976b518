using System.Buffers.Binary;
using System.Text;
using NSec.Cryptography;

namespace Lumora.Chain.Notes;

/// <summary>A private key, Ed25519 or ML-DSA-44, that signs notes under a name.</summary>
public sealed class NoteSigner : IDisposable
{
    private readonly Key? _key;
    private readonly byte[] _seed = [];

    /// <summary>The signer of <paramref name="seed"/> (32 bytes: RFC 8032, or FIPS 204's ξ) under <paramref name="name"/>.</summary>
    /// <exception cref="ArgumentException">The name has the wrong form, or is too long for an ML-DSA-44 witness.</exception>
    public NoteSigner(string name, SignatureKind kind, ReadOnlySpan<byte> seed)
    {
        if (kind == SignatureKind.MlDsa44)
        {
            if (Encoding.UTF8.GetByteCount(name) > SubtreeV1.NameBytesMax)
                throw new ArgumentException($"The name of an ML-DSA-44 witness has at most {SubtreeV1.NameBytesMax} bytes.", nameof(name));
            _seed = seed.ToArray();
            Verifier = new VerifierKey(name, kind, MlDsa44.PublicKey(seed));
            return;
        }

        _key = Key.Import(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey);
        Verifier = new VerifierKey(name, kind, _key.PublicKey.Export(KeyBlobFormat.RawPublicKey));
    }

    /// <summary>The public half.</summary>
    public VerifierKey Verifier { get; }

    /// <summary>Signs a note's text as a log does.</summary>
    public NoteSignature Sign(string text)
    {
        if (Verifier.Kind != SignatureKind.Ed25519)
            throw new InvalidOperationException("A witness key signs with a time.");
        var signature = SignatureAlgorithm.Ed25519.Sign(_key!, new SignedNote(text, []).TextBytes);
        return new NoteSignature(Verifier.Name, Verifier.Id, signature);
    }

    /// <summary>
    /// Cosigns a checkpoint as a witness: at <paramref name="at"/> this was the largest consistent tree that it saw
    /// (C2SP tlog-cosignature).
    /// </summary>
    /// <exception cref="FormatException">With ML-DSA-44: the text is no checkpoint, or its origin is too long.</exception>
    public NoteSignature Cosign(string text, DateTimeOffset at)
    {
        if (!Verifier.Cosigns)
            throw new InvalidOperationException("A log key signs without a time.");
        var seconds = at.ToUnixTimeSeconds();
        var signature = Verifier.Kind == SignatureKind.MlDsa44
            ? MlDsa44.Sign(_seed, SubtreeV1.Message(Verifier.Name, seconds, text) ?? throw new FormatException("This is no checkpoint that ML-DSA-44 cosigns."))
            : SignatureAlgorithm.Ed25519.Sign(_key!, CosignatureV1.Message(seconds, text));
        var blob = new byte[CosignatureV1.TimeBytes + signature.Length];
        BinaryPrimitives.WriteInt64BigEndian(blob, seconds);
        signature.CopyTo(blob, CosignatureV1.TimeBytes);
        return new NoteSignature(Verifier.Name, Verifier.Id, blob);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _key?.Dispose();
        Array.Clear(_seed);
    }
}
