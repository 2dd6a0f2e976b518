using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Lumora.Domain.Ledger;

/// <summary>
/// Identifies (actor, key): SHA-256 over both, each preceded by its length in UTF-8 bytes (32 bits, big endian), cut to
/// 128 bits. A fixed size keeps the index of all outcomes small. To be taken for somebody else's request one would need
/// a second preimage; an actor that makes two of its own keys collide confuses nobody but itself.
/// </summary>
public static class OutcomeId
{
    private const int StackBytesMax = 512;

    /// <summary>The id of <paramref name="actor"/>'s <paramref name="key"/>.</summary>
    public static Guid Of(string actor, string key)
    {
        var size = 2 * sizeof(int) + Encoding.UTF8.GetMaxByteCount(actor.Length) + Encoding.UTF8.GetMaxByteCount(key.Length);
        var buffer = size <= StackBytesMax ? stackalloc byte[StackBytesMax] : new byte[size];
        var length = Write(buffer, actor);
        length += Write(buffer[length..], key);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(buffer[..length], hash);
        return new Guid(hash[..16], bigEndian: true);
    }

    private static int Write(Span<byte> buffer, string text)
    {
        var written = Encoding.UTF8.GetBytes(text, buffer[sizeof(int)..]);
        BinaryPrimitives.WriteInt32BigEndian(buffer, written);
        return sizeof(int) + written;
    }
}

/// <summary>The one recorded outcome of (actor, key).</summary>
/// <param name="Id">See <see cref="OutcomeId"/>.</param>
/// <param name="Digest">What was asked.</param>
/// <param name="JournalVersion">The event that records it.</param>
/// <param name="At">Its time.</param>
/// <param name="Code">Null = it took effect; else why not.</param>
/// <param name="Field">The field at fault.</param>
/// <param name="Label">What it can be searched by; null when it moved or promised no money.</param>
public sealed record RecordedOutcome(
    Guid Id, RequestDigest Digest, long JournalVersion, DateTimeOffset At, string? Code, string? Field, TransactionLabel? Label)
{
    /// <summary>The answer to the first request with <paramref name="key"/>, or to an equal later one.</summary>
    public LedgerOutcome ToOutcome(string key, bool replayed) => Code is null
        ? new LedgerOutcome.Posted(key, JournalVersion, At, replayed)
        : new LedgerOutcome.Refused(LedgerCodes.Reject(Code, Field), replayed);
}

/// <summary>What a transaction can be searched by.</summary>
/// <param name="Kind">What the money moves for, snake_case.</param>
/// <param name="Reference">The business object behind it.</param>
public sealed record TransactionLabel(string Kind, TransactionReference? Reference)
{
    /// <summary>The kind of every reversal.</summary>
    public const string ReversalKind = "reversal";

    /// <summary>The label of an event that moves or promises money; else null.</summary>
    public static TransactionLabel? Of(object @event) => @event switch
    {
        TransactionPosted e => new(e.Kind, e.Reference),
        FundsHeld e => new(e.Kind, e.Reference),
        HoldCaptured e => new(e.Kind, e.Reference),
        TransactionReversed e => new(ReversalKind, e.Reference),
        _ => null,
    };
}

/// <summary>A request with what is computed from it alone, off the writer's path.</summary>
/// <param name="Request">Passed <see cref="LedgerShape"/>.</param>
/// <param name="Id">Of (actor, key).</param>
/// <param name="Digest">Of the command.</param>
public sealed record PreparedRequest(LedgerRequest Request, Guid Id, RequestDigest Digest)
{
    /// <summary>Prepares <paramref name="request"/>.</summary>
    public static PreparedRequest Of(LedgerRequest request) =>
        new(request, OutcomeId.Of(request.Actor.Id, request.Key), RequestDigest.Of(request.Command));
}
