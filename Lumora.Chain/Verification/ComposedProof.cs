using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lumora.Domain.Kernel;

namespace Lumora.Chain.Verification;

/// <summary>An entry of a log and its proof, as two files would hold them.</summary>
/// <param name="Proof">The <c>.tlog-proof</c>, text.</param>
/// <param name="Leaf">The entry's bytes as text (docs/leaf.md).</param>
public sealed record ProvenEntry(string Proof, string Leaf)
{
    internal byte[] ProofBytes => Encoding.UTF8.GetBytes(Proof);

    internal byte[] LeafBytes => Encoding.UTF8.GetBytes(Leaf);
}

/// <summary>The Solana transaction that holds a checkpoint, as it was archived at finality.</summary>
/// <param name="GenesisHash">The cluster.</param>
/// <param name="Signature">The transaction's id, base58.</param>
/// <param name="Slot">Slot of its block.</param>
/// <param name="Blockhash">The block's own hash, base58.</param>
/// <param name="BlockTime">The block's time, UTC with 6 decimals; null where the servers did not know it.</param>
/// <param name="Transaction">The wire bytes, base64.</param>
public sealed record AnchorEvidence(
    string GenesisHash, string Signature, long Slot, string Blockhash, string? BlockTime, string Transaction);

/// <summary>
/// A composed proof (docs/composed-proof.md, format <c>lumora-composed-proof/1</c>): an event of a region's log, the global log's event
/// that records a checkpoint of that log, the anchor of the global log, and the policy. One file in one spelling: canonical JSON.
/// </summary>
/// <param name="Region">The event in the region's log.</param>
/// <param name="Global">The recorded checkpoint in the global log.</param>
/// <param name="Anchor">The transaction that holds the global checkpoint; null while none is final.</param>
/// <param name="Policy">A C2SP tlog-policy: both logs' keys, the witnesses and the quorum.</param>
public sealed record ComposedProof(ProvenEntry Region, ProvenEntry Global, AnchorEvidence? Anchor, string Policy)
{
    /// <summary>What a file says that it is.</summary>
    public const string Format = "lumora-composed-proof/1";

    /// <summary>The longest file that is read.</summary>
    public const int BytesMax = 1_048_576;

    /// <summary>Reads a file.</summary>
    /// <exception cref="FormatException">It is no composed proof, or not in the canonical spelling.</exception>
    public static ComposedProof Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > BytesMax)
            throw new FormatException($"The composed proof has {bytes.Length} bytes, more than {BytesMax}.");
        if (!CanonicalJson.Canonicalize(bytes).AsSpan().SequenceEqual(bytes))
            throw new FormatException("The composed proof is not canonical JSON.");
        var reader = new Utf8JsonReader(bytes);
        var root = JsonElement.ParseValue(ref reader);
        Demand(root, "composed proof", "anchor", "format", "global", "policy", "region");
        if (Text(root, "format") != Format)
            throw new FormatException($"The composed proof does not say that it is \"{Format}\".");
        var anchor = root.GetProperty("anchor");
        return new ComposedProof(
            Entry(root, "region"), Entry(root, "global"),
            anchor.ValueKind == JsonValueKind.Null ? null : Evidence(anchor), Text(root, "policy"));
    }

    /// <summary>The file. What is not there is null, so that every file has the same members.</summary>
    public byte[] ToBytes() => CanonicalJson.Canonicalize(JsonSerializer.SerializeToElement(new JsonObject
    {
        ["format"] = Format,
        ["region"] = new JsonObject { ["proof"] = Region.Proof, ["leaf"] = Region.Leaf },
        ["global"] = new JsonObject { ["proof"] = Global.Proof, ["leaf"] = Global.Leaf },
        ["anchor"] = Anchor is null
            ? null
            : new JsonObject
            {
                ["genesisHash"] = Anchor.GenesisHash,
                ["signature"] = Anchor.Signature,
                ["slot"] = Anchor.Slot.ToString(CultureInfo.InvariantCulture),
                ["blockhash"] = Anchor.Blockhash,
                ["blockTime"] = Anchor.BlockTime,
                ["transaction"] = Anchor.Transaction,
            },
        ["policy"] = Policy,
    }));

    private static ProvenEntry Entry(JsonElement root, string name)
    {
        var entry = root.GetProperty(name);
        Demand(entry, name, "leaf", "proof");
        return new ProvenEntry(Text(entry, "proof"), Text(entry, "leaf"));
    }

    private static AnchorEvidence Evidence(JsonElement anchor)
    {
        Demand(anchor, "anchor", "blockTime", "blockhash", "genesisHash", "signature", "slot", "transaction");
        return new AnchorEvidence(
            Text(anchor, "genesisHash"), Text(anchor, "signature"),
            Notes.StrictText.TryInteger(Text(anchor, "slot"), out var slot) ? slot : throw new FormatException("The anchor's slot is no number."),
            Text(anchor, "blockhash"),
            anchor.GetProperty("blockTime").ValueKind == JsonValueKind.Null ? null : Text(anchor, "blockTime"),
            Text(anchor, "transaction"));
    }

    private static void Demand(JsonElement value, string what, params string[] members)
    {
        if (value.ValueKind != JsonValueKind.Object
            || !value.EnumerateObject().Select(member => member.Name).SequenceEqual(members, StringComparer.Ordinal))
            throw new FormatException($"The {what} has other members than {string.Join(", ", members)}.");
    }

    private static string Text(JsonElement parent, string name) =>
        parent.GetProperty(name) is { ValueKind: JsonValueKind.String } value
            ? value.GetString()!
            : throw new FormatException($"The member {name} is no text.");
}
