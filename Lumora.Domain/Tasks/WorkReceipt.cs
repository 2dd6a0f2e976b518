using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Tasks;

/// <summary>How much of a lease was done. Names are frozen.</summary>
public enum WorkStatus
{
    /// <summary>Every page was fetched.</summary>
    Complete,

    /// <summary>At least one page has another outcome.</summary>
    Partial,
}

/// <summary>
/// A node's signed claim of the work of one lease. Totals are cumulative, so the highest <paramref name="Seq"/> of a
/// lease says it all; two different receipts with one (lease, seq) are a fault of their signer.
/// </summary>
/// <param name="LeaseId">The lease.</param>
/// <param name="NodeId">The signer: base58 of its Ed25519 public key.</param>
/// <param name="Seq">From 1, rising within the lease.</param>
/// <param name="BytesIn">Σ body bytes of the pages after content decoding, each page once.</param>
/// <param name="BytesOut">Bytes of ciphertext uploaded.</param>
/// <param name="ContentRoot">RFC 6962 root over the plaintext's lines, 64 hex digits.</param>
/// <param name="Status">Whether all pages were fetched.</param>
/// <param name="Start">When the work began, unix ms.</param>
/// <param name="End">When it ended, unix ms.</param>
/// <param name="Sig">Base64 of the Ed25519 signature over <see cref="SigningBytes"/>; null only while it is being made.</param>
public sealed record WorkReceipt(
    string LeaseId,
    string NodeId,
    long Seq,
    long BytesIn,
    long BytesOut,
    string ContentRoot,
    [property: JsonConverter(typeof(WireEnumConverter<WorkStatus>))] WorkStatus Status,
    long Start,
    long End,
    string? Sig = null)
{
    /// <summary>What the node signs.</summary>
    public byte[] SigningBytes() => BandwidthSigning.Bytes("WorkReceipt", this with { Sig = null });
}

/// <summary>A gateway's word that it received what a <see cref="WorkReceipt"/> claims.</summary>
/// <param name="Receipt">The node's receipt with its signature.</param>
/// <param name="GatewayId">Base58 of the gateway's Ed25519 public key.</param>
/// <param name="Sig">Base64 of the Ed25519 signature over <see cref="SigningBytes"/>; null only while it is being made.</param>
public sealed record ReceiptCountersigned(WorkReceipt Receipt, string GatewayId, string? Sig = null)
{
    /// <summary>What the gateway signs.</summary>
    public byte[] SigningBytes() => BandwidthSigning.Bytes("ReceiptCountersigned", this with { Sig = null });
}

/// <summary>Signing bytes of the bandwidth protocol LPoB-1.</summary>
public static class BandwidthSigning
{
    /// <summary><c>"lumora-pob/1\n" + type + "\n" + canonical JSON (RFC 8785) of the message without its sig</c>.</summary>
    /// <param name="type">The message's name in the protocol.</param>
    /// <param name="messageWithoutSig">The message; its signature is null, and nulls are left out.</param>
    public static byte[] Bytes<T>(string type, T messageWithoutSig)
    {
        var json = JsonSerializer.SerializeToElement(messageWithoutSig, WireJson.Messages);
        return [.. Encoding.ASCII.GetBytes($"lumora-pob/1\n{type}\n"), .. CanonicalJson.Canonicalize(json)];
    }
}
