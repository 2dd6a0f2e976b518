using System.Text;
using System.Text.Json;
using Lumora.Chain.Notes;
using Lumora.Chain.Solana;
using Lumora.Chain.Verification;
using Lumora.Chain.Witnesses;
using Lumora.Cli.Reports;
using Lumora.Domain.Kernel;

namespace Lumora.Cli.Trust;

/// <summary>A shard and the keys that sign its log: one, or two while a key is being replaced.</summary>
/// <param name="Name">For example <c>main</c>.</param>
/// <param name="Keys">C2SP vkeys.</param>
internal sealed record TrustShard(string Name, IReadOnlyList<string> Keys);

/// <summary>What an operator says that auditors may pin, format <c>lumora-trust/1</c> (docs/audit.md).</summary>
/// <param name="Format">The format's name.</param>
/// <param name="IssuedAt">When it was made: the later of two files of one signer counts.</param>
/// <param name="Shards">The shards and the keys of their logs.</param>
/// <param name="Witnesses">vkeys of the witnesses; those of the policy.</param>
/// <param name="Policy">The text of a C2SP tlog-policy, or null.</param>
/// <param name="Anchor">Address that pays for anchors, or null.</param>
/// <param name="Genesis">Genesis hash of the cluster that anchors stand on, or null.</param>
/// <param name="Mint">Address of the LMR token there, or null.</param>
/// <param name="EpochSeconds">How long a reward epoch is, or null.</param>
internal sealed record TrustBody(
    string Format, DateTimeOffset IssuedAt, IReadOnlyList<TrustShard> Shards, IReadOnlyList<string> Witnesses, string? Policy = null,
    string? Anchor = null, string? Genesis = null, string? Mint = null, int? EpochSeconds = null);

/// <summary>
/// A trust file: a C2SP signed note whose text is the body as one line of canonical JSON (RFC 8785). Auditors keep it outside of any
/// server and pin the signer's key.
/// </summary>
internal sealed class TrustFile
{
    /// <summary>The format's name.</summary>
    public const string FormatName = "lumora-trust/1";

    private TrustFile(TrustBody body, SignedNote note, WitnessPolicy? policy) => (Body, Note, Policy) = (body, note, policy);

    /// <summary>What it says.</summary>
    public TrustBody Body { get; }

    /// <summary>The note.</summary>
    public SignedNote Note { get; }

    /// <summary>The policy, read.</summary>
    public WitnessPolicy? Policy { get; }

    /// <summary>Makes the file of <paramref name="body"/>, signed by <paramref name="signer"/>.</summary>
    /// <exception cref="FormatException">A part of the body has the wrong form.</exception>
    public static byte[] Sign(TrustBody body, NoteSigner signer)
    {
        var text = Encoding.UTF8.GetString(CanonicalJson.Serialize(body)) + "\n";
        var bytes = new SignedNote(text, [signer.Sign(text)]).ToBytes();
        // Nothing leaves that we would not read ourselves.
        NoteVerifier.Verify(Parse(bytes).Note, [signer.Verifier]);
        return bytes;
    }

    /// <summary>Reads a file; whether its signature is good is for <see cref="Verify"/>.</summary>
    /// <exception cref="FormatException">It is no trust file; the message says why.</exception>
    public static TrustFile Parse(ReadOnlySpan<byte> bytes)
    {
        var note = SignedNote.Parse(bytes);
        TrustBody? body;
        try
        {
            body = JsonSerializer.Deserialize<TrustBody>(note.Text, WireJson.Messages);
        }
        catch (JsonException exception)
        {
            throw new FormatException($"The trust file's text is no {FormatName}: {exception.Message}", exception);
        }

        if (body is not { Format: FormatName })
            throw new FormatException($"The trust file's format is not {FormatName}.");
        if (!string.Equals(Encoding.UTF8.GetString(CanonicalJson.Serialize(body)) + "\n", note.Text, StringComparison.Ordinal))
            throw new FormatException("The trust file's text is not one line of canonical JSON.");
        // The reader of JSON does not look at what stands in a list.
        if (body.Shards.Any(shard => shard is null || shard.Keys.Any(key => key is null)) || body.Witnesses.Any(key => key is null))
            throw new FormatException("The trust file has null where a shard or a key belongs.");
        if (body.Shards.Count == 0 || body.Shards.Any(shard => shard.Keys.Count == 0))
            throw new FormatException("The trust file names no log key.");
        foreach (var key in body.Shards.SelectMany(shard => shard.Keys).Concat(body.Witnesses))
            VerifierKey.Parse(key);
        foreach (var address in new[] { body.Anchor, body.Mint }.OfType<string>())
            if (!PublicKey.TryParse(address, out _))
                throw new FormatException($"\"{address}\" in the trust file is no Solana address.");
        var policy = body.Policy is { } text ? WitnessPolicy.Parse(Encoding.UTF8.GetBytes(text)) : null;
        if (policy is not null && policy.WitnessKeys.Any(key => !body.Witnesses.Contains(key.ToString(), StringComparer.Ordinal)))
            throw new FormatException("The trust file's policy names a witness whose key is not among its witnesses.");
        return new TrustFile(body, note, policy);
    }

    /// <summary>Checks that <paramref name="signer"/> has signed it.</summary>
    /// <exception cref="VerificationException">It has not.</exception>
    public void Verify(VerifierKey signer) => NoteVerifier.Verify(Note, [signer]);

    /// <summary>The keys of all logs.</summary>
    public IReadOnlyList<VerifierKey> Keys => [.. Body.Shards.SelectMany(shard => shard.Keys).Select(VerifierKey.Parse)];

    /// <summary>The keys of the log of <paramref name="shard"/>.</summary>
    /// <exception cref="UnableException">It does not name that shard.</exception>
    public IReadOnlyList<VerifierKey> KeysOf(string shard) =>
        Body.Shards.FirstOrDefault(one => one.Name == shard) is { } found
            ? [.. found.Keys.Select(VerifierKey.Parse)]
            : throw new UnableException($"the trust file names no shard {shard}: it has {string.Join(", ", Body.Shards.Select(one => one.Name))}.");
}
