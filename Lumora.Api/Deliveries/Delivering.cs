using System.Security.Cryptography;
using JasperFx.Events;
using Lumora.Api.Datasets;
using Lumora.Api.Purchases;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Datasets;
using Lumora.Domain.Kernel;
using Lumora.Domain.Participants;
using Lumora.Domain.Purchases;
using Lumora.Projections.Datasets;
using Lumora.Projections.EventStore;
using Lumora.Projections.Participants;
using Lumora.Projections.Purchases;
using Marten;
using ShardRole = Lumora.Projections.EventStore.ShardRole;

namespace Lumora.Api.Deliveries;

/// <summary>A file that can be downloaded under a grant.</summary>
/// <param name="Name">The file's name; the download is an age file of it.</param>
/// <param name="Path">Where it is downloaded, relative to the host.</param>
/// <param name="Bytes">Length of the age file.</param>
/// <param name="Sha256">SHA-256 of the plaintext, hex: compare it after decryption.</param>
/// <param name="BodyOffset">Where the stored payload begins in the age file: its header's length.</param>
/// <param name="BodyRoot">RFC 6962 root, hex, over the payload's pieces of 65,536 bytes.</param>
public sealed record GrantedFile(
    string Name, string Path, long Bytes, string Sha256, int BodyOffset, string BodyRoot);

/// <summary>A grant and what it opens.</summary>
/// <param name="GrantId">The grant.</param>
/// <param name="ExpiresAt">Downloads that begin before this moment are served.</param>
/// <param name="BytesMax">How many bytes it serves in all.</param>
/// <param name="Files">The version's files.</param>
public sealed record GrantedDelivery(
    string GrantId, DateTimeOffset ExpiresAt, long BytesMax, IReadOnlyList<GrantedFile> Files);

/// <summary>Grants downloads and takes the buyer's answer.</summary>
public sealed class Delivering(
    ShardSessions sessions, SubjectKeys subjects, MarketKeys keys, ICurve25519 curve, Escrow escrow, TimeProvider clock)
{
    private const ShardRole Role = ShardRole.Global;
    private static readonly Rejection NotFound = new("not_found", "You have no such purchase.", "purchaseId");

    /// <summary>
    /// A grant for the caller's purchase. The first one writes each file's header. Codes: <c>not_found</c>,
    /// <c>refunded</c>, <c>recipient_erased</c>, <c>too_many_grants</c>.
    /// </summary>
    public async Task<Result<GrantedDelivery>> GrantAsync(Actor actor, string purchaseId, CancellationToken ct)
    {
        await using var session = sessions.Open(Role, actor);
        if (await OwnAsync(session, actor, purchaseId, ct) is not { Aggregate: { } purchase } stream)
            return NotFound;
        var version = await VersionAsync(session, purchase, ct);
        var headers = await HeadersAsync(session, purchase, version, ct);
        if (headers is null)
            return new Rejection("recipient_erased", "Your sealed data was erased, and with it the key that files were made for.");

        var now = clock.Now();
        var grant = new DeliveryGrant(
            TypeId.Format("grant", Guid.CreateVersion7(now)), purchaseId, actor.Id, now + DeliveryGrant.Lifetime);
        var budget = checked(DeliveryGrant.BudgetFactor * version.Files.Sum(file => file.BodyBytes + headers[file.Name].Length));
        var written = headers.Select(header => new DeliveryHeaderWritten(
            purchaseId, header.Key, header.Value.Length, Convert.ToHexStringLower(SHA256.HashData(header.Value)), now));
        var decision = PurchaseDecider.Decide(
            new PurchaseCommand.Grant(grant.GrantId, budget, grant.ExpiresAt, [.. written]), purchase, now);
        if (decision is Decision.Rejected rejected)
            return rejected.Reason;

        stream.AppendMany(((Decision.Accepted)decision).Events);
        foreach (var (file, bytes) in headers.Where(header => !purchase.Headers.ContainsKey(header.Key)))
            session.Insert(new DeliveryHeader { Id = DeliveryHeader.KeyOf(purchaseId, file), Bytes = bytes });
        session.QueueSqlCommand(
            $"insert into {PurchasesStore.GrantTable} (grant_id, purchase_id, bytes_max, bytes_used, expires_at) "
            + "values (?, ?, ?, 0, ?)",
            grant.GrantId, purchaseId, budget, grant.ExpiresAt);
        await session.SaveChangesAsync(ct);

        var token = grant.Seal(keys.Tokens);
        return new GrantedDelivery(
            grant.GrantId, grant.ExpiresAt, budget,
            [
                .. version.Files.Select(file => new GrantedFile(
                    file.Name, $"/deliveries/{token}/{file.Name}", file.BodyBytes + headers[file.Name].Length,
                    file.Sha256, headers[file.Name].Length, file.BodyRoot)),
            ]);
    }

    /// <summary>The buyer is content: the escrow is released at once, or by the sweeper when this host dies between.</summary>
    public async Task<Result<PurchaseView>> ConfirmAsync(Actor actor, string purchaseId, CancellationToken ct)
    {
        var refusal = await AppendAsync(actor, purchaseId, _ => Task.FromResult<PurchaseCommand>(new PurchaseCommand.Confirm()), ct);
        refusal ??= await escrow.ReleaseAsync(purchaseId, null, ct);
        return refusal is null ? await ViewAsync(purchaseId, ct) : refusal;
    }

    /// <summary>The buyer disputes a piece of a file; the sweeper reads the stored body again.</summary>
    public async Task<Result<PurchaseView>> DisputeAsync(
        Actor actor, string purchaseId, string file, long chunk, string hash, CancellationToken ct)
    {
        var refusal = await AppendAsync(actor, purchaseId, CommandAsync, ct);
        return refusal is null ? await ViewAsync(purchaseId, ct) : refusal;

        async Task<PurchaseCommand> CommandAsync(Purchase purchase)
        {
            await using var session = sessions.Query(Role);
            var version = await VersionAsync(session, purchase, ct);
            return new PurchaseCommand.Dispute(version.Files.FirstOrDefault(one => one.Name == file), chunk, hash);
        }
    }

    /// <summary>A steward decides a dispute: out to the publisher, or back to the buyer.</summary>
    public async Task<Result<PurchaseView>> ResolveAsync(string purchaseId, bool release, string reason, CancellationToken ct)
    {
        if (!TypeId.IsValid("purchase", purchaseId))
            return new Rejection("not_found", "There is no such purchase.", "purchaseId");
        if (reason.Trim().Length is < 3 or > 500)
            return new Rejection("invalid_reason", "A reason has 3 to 500 characters.", "reason");
        var refusal = release
            ? await escrow.ReleaseAsync(purchaseId, reason, ct)
            : await escrow.RefundAsync(purchaseId, reason, ct);
        return refusal is null ? await ViewAsync(purchaseId, ct) : refusal;
    }

    /// <summary>The version that was bought.</summary>
    internal static async Task<DatasetVersionPublished> VersionAsync(
        IQuerySession session, Purchase purchase, CancellationToken ct)
    {
        var artifacts = await session.LoadAsync<DatasetArtifacts>(
            DatasetArtifacts.KeyOf(purchase.DatasetId, purchase.Version.ToString()), ct);
        Check.That(artifacts is not null, "a version that was sold has its artifacts");
        return artifacts.Version;
    }

    private static async Task<IEventStream<Purchase>?> OwnAsync(
        IDocumentSession session, Actor actor, string purchaseId, CancellationToken ct)
    {
        if (!TypeId.IsValid("purchase", purchaseId))
            return null;
        var stream = await session.Events.FetchForWriting<Purchase>(Purchase.StreamOf(purchaseId), ct);
        return stream.Aggregate?.BuyerId == actor.Id ? stream : null;
    }

    /// <summary>Each file's header, read or made; null when the recipient cannot be read any more.</summary>
    private async Task<Dictionary<string, byte[]>?> HeadersAsync(
        IDocumentSession session, Purchase purchase, DatasetVersionPublished version, CancellationToken ct)
    {
        var headers = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var file in version.Files)
        {
            if (purchase.Headers.ContainsKey(file.Name))
            {
                var stored = await session.LoadAsync<DeliveryHeader>(DeliveryHeader.KeyOf(purchase.PurchaseId, file.Name), ct);
                headers[file.Name] = stored!.Bytes;
                continue;
            }

            if (subjects.Open(purchase.BuyerId, Participant.AgeRecipientField, purchase.Recipient) is not { } recipient)
                return null;
            headers[file.Name] = await WriteHeaderAsync(session, version, file, AgeRecipient.Parse(recipient), ct);
        }

        return headers;
    }

    private async Task<byte[]> WriteHeaderAsync(
        IQuerySession session, DatasetVersionPublished version, DatasetFile file, AgeRecipient recipient, CancellationToken ct)
    {
        var place = DatasetFileKey.KeyOf(version.DatasetId, version.Version, file.Name);
        var wrapped = await session.LoadAsync<DatasetFileKey>(place, ct);
        Check.That(wrapped is not null, "each file of a version has its key");
        var fileKey = FileKeys.Unwrap(wrapped.Wrapped, place, keys.Files);
        try
        {
            return AgeHeader.Write(fileKey, [recipient], curve, RandomNumberGenerator.Fill);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(fileKey);
        }
    }

    private async Task<Rejection?> AppendAsync(
        Actor actor, string purchaseId, Func<Purchase, Task<PurchaseCommand>> command, CancellationToken ct)
    {
        await using var session = sessions.Open(Role, actor);
        if (await OwnAsync(session, actor, purchaseId, ct) is not { Aggregate: { } purchase } stream)
            return NotFound;
        var decision = PurchaseDecider.Decide(await command(purchase), purchase, clock.Now());
        if (decision is Decision.Rejected rejected)
            return rejected.Reason;
        if (((Decision.Accepted)decision).Events is { Count: > 0 } events)
        {
            stream.AppendMany(events);
            await session.SaveChangesAsync(ct);
        }

        return null;
    }

    private async Task<PurchaseView> ViewAsync(string purchaseId, CancellationToken ct)
    {
        await using var session = sessions.Query(Role);
        return (await session.LoadAsync<PurchaseView>(Purchase.StreamOf(purchaseId), ct))!;
    }
}
