using System.Buffers.Binary;
using NSec.Cryptography;

namespace Lumora.Chain.Notes;

/// <summary>A private Ed25519 key that signs notes under a name.</summary>
public sealed class NoteSigner : IDisposable
{
    private readonly Key _key;

    /// <summary>The signer of <paramref name="seed"/> (32 bytes, RFC 8032) under <paramref name="name"/>.</summary>
    public NoteSigner(string name, SignatureKind kind, ReadOnlySpan<byte> seed)
    {
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
        var signature = SignatureAlgorithm.Ed25519.Sign(_key, new SignedNote(text, []).TextBytes);
        return new NoteSignature(Verifier.Name, Verifier.Id, signature);
    }

    /// <summary>
    /// Cosigns a checkpoint as a witness: at <paramref name="at"/> this was the largest consistent tree that it saw
    /// (C2SP tlog-cosignature, Ed25519 cosignature/v1).
    /// </summary>
    public NoteSignature Cosign(string text, DateTimeOffset at)
    {
        if (Verifier.Kind != SignatureKind.CosignatureV1)
            throw new InvalidOperationException("A log key signs without a time.");
        var seconds = at.ToUnixTimeSeconds();
        var blob = new byte[CosignatureV1.TimeBytes + SignatureAlgorithm.Ed25519.SignatureSize];
        BinaryPrimitives.WriteInt64BigEndian(blob, seconds);
        SignatureAlgorithm.Ed25519.Sign(_key, CosignatureV1.Message(seconds, text), blob.AsSpan(CosignatureV1.TimeBytes));
        return new NoteSignature(Verifier.Name, Verifier.Id, blob);
    }

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();
}
