using System.Security.Cryptography;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Nodes;
using Lumora.Domain.Tasks;
using Lumora.Node.Cryptography;
using SimpleBase;

namespace Lumora.Node.Keys;

/// <summary>
/// A node's Ed25519 key. Its file has one line, <c>lumora-node-key/1</c> and the secret in base58, and is readable by
/// its owner only.
/// </summary>
public sealed class NodeKey
{
    private const string Header = "lumora-node-key/1 ";
    private const int SeedBytes = 32;

    private readonly byte[] _seed;

    private NodeKey(byte[] seed)
    {
        _seed = seed;
        NodeId = Base58.Bitcoin.Encode(Curve.Ed25519PublicKey(seed));
    }

    /// <summary>Base58 of the public key: the node's id.</summary>
    public string NodeId { get; }

    internal static ICurve25519 Curve { get; } = new Curve25519();

    /// <summary>The secret, 32 bytes.</summary>
    internal byte[] Seed => _seed;

    /// <summary>A new random key.</summary>
    public static NodeKey Generate() => new(RandomNumberGenerator.GetBytes(SeedBytes));

    /// <summary>The key of a 32-byte secret.</summary>
    public static NodeKey FromSeed(ReadOnlySpan<byte> seed)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(seed.Length, SeedBytes, nameof(seed));
        return new NodeKey(seed.ToArray());
    }

    /// <summary>Reads a key file.</summary>
    /// <exception cref="InvalidDataException">It is no key file, or others can read it.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static NodeKey Load(string path)
    {
        if (!OperatingSystem.IsWindows()
            && (File.GetUnixFileMode(path) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite)) != UnixFileMode.None)
            throw new InvalidDataException($"{path}: others can read this key. Run: chmod 600 {path}");
        var text = File.ReadAllText(path).Trim();
        var seed = new byte[SeedBytes + 1];
        if (!text.StartsWith(Header, StringComparison.Ordinal)
            || !Base58Text.TryDecode(text.AsSpan(Header.Length), seed, out var length)
            || length != SeedBytes)
            throw new InvalidDataException($"{path}: this is no node key file.");
        return FromSeed(seed.AsSpan(0, SeedBytes));
    }

    /// <summary>Writes a new key file; an existing one is never overwritten.</summary>
    /// <exception cref="IOException">The file exists or cannot be written.</exception>
    public void Save(string path)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder)
            Directory.CreateDirectory(folder);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var file = new FileStream(path, options);
        file.Write(System.Text.Encoding.ASCII.GetBytes($"{Header}{Base58.Bitcoin.Encode(_seed)}\n"));
        file.Flush(flushToDisk: true);
    }

    /// <summary>Base64 of the proof with which <paramref name="participantId"/> registers this node as theirs.</summary>
    public string ProveOwnership(string participantId) =>
        Convert.ToBase64String(Curve.Ed25519Sign(_seed, NodeOwnership.SignedBytes(participantId)));

    /// <summary><paramref name="receipt"/> with this node's signature.</summary>
    internal WorkReceipt Sign(WorkReceipt receipt) =>
        receipt with { Sig = Convert.ToBase64String(Curve.Ed25519Sign(_seed, receipt.SigningBytes())) };
}
