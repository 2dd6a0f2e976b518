using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Ledger;

/// <summary>
/// What a request asked, in up to 6 blocks of 16 bytes, one per field: SHA-256 cut to 128 bits, zeros for a field
/// that is absent, absent blocks at the end left out. Blocks instead of one hash, so that a conflict can name the
/// field that differs without keeping the request.
/// </summary>
public sealed class RequestDigest : IEquatable<RequestDigest>
{
    private const int BlockBytes = 16;
    private readonly byte[] _bytes;

    private RequestDigest(byte[] bytes) => _bytes = bytes;

    /// <summary>The stored form, 16 to 96 bytes.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes;

    /// <summary>Takes the stored form.</summary>
    public static RequestDigest FromBytes(byte[] stored) => new(stored);

    /// <summary>Takes the form of <see cref="ToString"/>.</summary>
    public static RequestDigest Parse(string hex) => new(Convert.FromHexString(hex));

    /// <summary>The digest of <paramref name="command"/>.</summary>
    public static RequestDigest Of(LedgerCommand command) => command switch
    {
        PostTransaction post => Blocks(
            Hash("post_transaction", post.Kind), PostingsOf(post.Postings), ReferenceOf(post.Reference),
            MetadataOf(post.Metadata)),
        HoldFunds hold => Blocks(
            Hash("hold_funds", hold.Kind), Hash(hold.Code, hold.Asset), Hash(hold.Amount.ToString()),
            Hash(hold.Deadline.ToWire()), ReferenceOf(hold.Reference), MetadataOf(hold.Metadata)),
        CaptureHold capture => Blocks(
            Hash("capture_hold"), Hash(Number(capture.Hold)), PaymentsOf(capture.Payments),
            capture.Finish ? Hash("finish") : null),
        ReleaseHold release => Blocks(Hash("release_hold"), Hash(Number(release.Hold))),
        ExpireHold expire => Blocks(Hash("expire_hold"), Hash(Number(expire.Hold))),
        ReverseTransaction reverse => Blocks(
            Hash("reverse_transaction"), Hash(Number(reverse.Transaction)), Hash(reverse.Reason), PartsOf(reverse.Parts)),
        OpenAccount open => Blocks(Hash("open_account"), Hash(open.Code, open.Asset)),
        FreezeAccount freeze => Blocks(
            Hash("freeze_account"), Hash(freeze.Code, freeze.Asset), Hash(freeze.Reason)),
        UnfreezeAccount unfreeze => Blocks(
            Hash("unfreeze_account"), Hash(unfreeze.Code, unfreeze.Asset), Hash(unfreeze.Reason)),
        CloseAccount close => Blocks(
            Hash("close_account"), Hash(close.Code, close.Asset), Hash(close.Reason)),
        ChangeFloor change => Blocks(
            Hash("change_floor"), Hash(change.Code, change.Asset), Hash(change.Reason),
            Hash(change.Floor is { } floor ? Number(floor) : "unbounded")),
        _ => throw new ArgumentOutOfRangeException(nameof(command), command.GetType().Name, "unknown command"),
    };

    /// <summary>The digest of the request behind an accepted <paramref name="event"/>.</summary>
    public static RequestDigest OfEvent(object @event) => @event switch
    {
        TransactionPosted e => Of(new PostTransaction(e.Kind, e.Postings, e.Reference, e.Metadata)),
        TransactionRejected e => Parse(e.ContentHash),
        FundsHeld e => Of(new HoldFunds(e.Kind, e.Code, e.Amount, e.Deadline, e.Reference, e.Metadata, e.Asset)),
        HoldCaptured e => Of(new CaptureHold(e.Hold, e.Payments, e.Finish)),
        HoldReleased e => Of(new ReleaseHold(e.Hold)),
        HoldExpired e => Of(new ExpireHold(e.Hold)),
        TransactionReversed e => Of(new ReverseTransaction(e.Transaction, e.Reason, e.Parts)),
        AccountOpened e => Of(new OpenAccount(e.Code, e.Asset)),
        AccountFrozen e => Of(new FreezeAccount(e.Code, e.Asset, e.Reason)),
        AccountUnfrozen e => Of(new UnfreezeAccount(e.Code, e.Asset, e.Reason)),
        AccountClosed e => Of(new CloseAccount(e.Code, e.Asset, e.Reason)),
        FloorChanged e => Of(new ChangeFloor(e.Code, e.Asset, e.Floor, e.Reason)),
        _ => throw new ArgumentOutOfRangeException(nameof(@event), @event.GetType().Name, "not a ledger event"),
    };

    /// <summary>The first field of <paramref name="command"/> in which it differs from the recorded digest.</summary>
    public string FirstDifference(LedgerCommand command)
    {
        var (other, fields) = (Of(command), FieldsOf(command));
        var block = 0;
        while (block < fields.Length - 1 && Block(block).SequenceEqual(other.Block(block)))
            block++;
        return fields[block];
    }

    /// <inheritdoc/>
    public bool Equals(RequestDigest? other) => other is not null && _bytes.AsSpan().SequenceEqual(other._bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as RequestDigest);

    /// <inheritdoc/>
    public override int GetHashCode() => BinaryPrimitives.ReadInt32LittleEndian(_bytes);

    /// <summary>Lower-case hexadecimal.</summary>
    public override string ToString() => Convert.ToHexStringLower(_bytes);

    // The first block of all but transactions and holds says only which command it is.
    private static string[] FieldsOf(LedgerCommand command) => command switch
    {
        PostTransaction => ["kind", "postings", "reference", "metadata"],
        HoldFunds => ["kind", "account", "amount", "deadline", "reference", "metadata"],
        CaptureHold => ["command", "hold", "payments", "finish"],
        ReleaseHold or ExpireHold => ["command", "hold"],
        ReverseTransaction => ["command", "transaction", "reason", "parts"],
        _ => ["command", "account", "reason", "floor"],
    };

    private ReadOnlySpan<byte> Block(int index) =>
        index * BlockBytes < _bytes.Length ? _bytes.AsSpan(index * BlockBytes, BlockBytes) : new byte[BlockBytes];

    private static RequestDigest Blocks(params ReadOnlySpan<byte[]?> blocks)
    {
        var count = blocks.Length;
        while (blocks[count - 1] is null)
            count--;
        var joined = new byte[count * BlockBytes];
        for (var i = 0; i < count; i++)
            blocks[i]?.CopyTo(joined.AsSpan(i * BlockBytes));
        return new RequestDigest(joined);
    }

    private static byte[] PostingsOf(IReadOnlyList<Posting> postings)
    {
        var parts = new string[postings.Count * 4];
        for (var i = 0; i < postings.Count; i++)
        {
            var posting = postings[i];
            (parts[4 * i], parts[4 * i + 1], parts[4 * i + 2], parts[4 * i + 3]) =
                (posting.From, posting.To, posting.Amount.ToString(), posting.Asset);
        }

        return Hash(parts);
    }

    private static byte[] PaymentsOf(IReadOnlyList<HoldPayment> payments) =>
        Hash([.. payments.SelectMany(payment => new[] { payment.To, payment.Amount.ToString() })]);

    private static byte[]? PartsOf(IReadOnlyList<ReversalPart>? parts) => parts is null
        ? null
        : Hash([.. parts.SelectMany(part => new[] { Number(part.Posting), part.Amount.ToString() })]);

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static byte[]? ReferenceOf(TransactionReference? reference) =>
        reference is null ? null : Hash(reference.Type, reference.Id);

    // Order of the pairs means nothing, so they are hashed sorted; an empty map is no map.
    private static byte[]? MetadataOf(IReadOnlyDictionary<string, string>? metadata) => metadata is null or { Count: 0 }
        ? null
        : Hash([.. metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal).SelectMany(pair => new[] { pair.Key, pair.Value })]);

    // Each part is preceded by its length in bytes, so no two lists of parts share an encoding.
    private static byte[] Hash(params ReadOnlySpan<string> parts)
    {
        var size = 0;
        foreach (var part in parts)
            size += sizeof(int) + Encoding.UTF8.GetByteCount(part);
        var buffer = size <= 1_024 ? stackalloc byte[size] : new byte[size];
        var rest = buffer;
        foreach (var part in parts)
        {
            var written = Encoding.UTF8.GetBytes(part, rest[sizeof(int)..]);
            BinaryPrimitives.WriteInt32BigEndian(rest, written);
            rest = rest[(sizeof(int) + written)..];
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(buffer, hash);
        return hash[..BlockBytes].ToArray();
    }
}
