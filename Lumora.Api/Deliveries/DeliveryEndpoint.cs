using System.Security.Cryptography;
using System.Text;
using Lumora.Api.Datasets;
using Lumora.Api.GraphQL;
using Lumora.Domain.Kernel;
using Lumora.Domain.Purchases;
using Lumora.Projections.EventStore;
using Lumora.Projections.Purchases;
using Microsoft.Net.Http.Headers;
using Npgsql;

namespace Lumora.Api.Deliveries;

/// <summary>
/// <c>GET /deliveries/{grant}/{file}</c>: the age file of one buyer. The grant in the address is the permission, so that
/// any download tool works; what it gives away to a thief is a file that only the buyer can decrypt.
/// </summary>
internal sealed partial class DeliveryEndpoint(
    ShardSessions sessions, MarketKeys keys, DatasetBodies bodies, TimeProvider clock, ILogger<DeliveryEndpoint> logger)
{
    private const ShardRole Role = ShardRole.Global;

    /// <summary>Serves the file, or a range of it.</summary>
    public async Task ServeAsync(HttpContext context, string grant, string file)
    {
        var ct = context.RequestAborted;
        if (DeliveryGrant.Open(grant, keys.Tokens) is not { } opened)
            await RefuseAsync(context, StatusCodes.Status404NotFound, "unknown_grant", "This is no grant of this host.");
        else if (clock.Now() >= opened.ExpiresAt)
            await RefuseAsync(context, StatusCodes.Status403Forbidden, "grant_expired", "The grant has expired; ask for a new one.");
        else if (Callers.FromPrincipal(context.User) is { } caller && caller.Id != opened.BuyerId)
            await RefuseAsync(context, StatusCodes.Status403Forbidden, "not_your_grant", "This grant was given to somebody else.");
        else if (await OpenAsync(opened, file, ct) is not { } delivery)
            await RefuseAsync(context, StatusCodes.Status404NotFound, "unknown_file", "There is no such file to download.");
        else
            await ServeAsync(context, opened, file, delivery);
    }

    private async Task ServeAsync(HttpContext context, DeliveryGrant grant, string file, Delivery delivery)
    {
        await using var content = delivery.Content;
        var reserved = HttpMethods.IsHead(context.Request.Method) ? 0 : RequestedBytes(context.Request, delivery);
        if (!await ReserveAsync(grant.GrantId, reserved))
        {
            await RefuseAsync(
                context, StatusCodes.Status403Forbidden, "budget_exhausted",
                "The grant has served all its bytes; ask for a new one.");
            return;
        }

        try
        {
            context.Response.Headers.CacheControl = "private, no-transform";
            await Results.Stream(
                content, "application/age", $"{file}.age", entityTag: delivery.Tag, enableRangeProcessing: true)
                .ExecuteAsync(context);
            if (content.ReachedEnd && !context.RequestAborted.IsCancellationRequested)
                await RecordServedAsync(grant, file);
        }
        finally
        {
            await ReserveAsync(grant.GrantId, content.BytesRead - reserved);
        }
    }

    private async Task<Delivery?> OpenAsync(DeliveryGrant grant, string file, CancellationToken ct)
    {
        await using var session = sessions.Query(Role);
        var purchase = await session.Events.AggregateStreamAsync<Purchase>(Purchase.StreamOf(grant.PurchaseId), token: ct);
        if (purchase is null or { Status: PurchaseStatus.Refunded } || !purchase.Headers.TryGetValue(file, out var headerHash))
            return null;
        var header = await session.LoadAsync<DeliveryHeader>(DeliveryHeader.KeyOf(grant.PurchaseId, file), ct);
        var version = await Delivering.VersionAsync(session, purchase, ct);
        var sold = version.Files.Single(one => one.Name == file);
        // Header and body are each named by their SHA-256; the tag is over both, without reading the body.
        var tag = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes($"{headerHash}\n{sold.BodySha256}")));
        return new Delivery(new HeaderedBody(header!.Bytes, bodies.Open(sold)), new EntityTagHeaderValue($"\"{tag}\""));
    }

    /// <summary>Bytes that the answer can have at most. What cannot be read as one range is answered whole.</summary>
    private static long RequestedBytes(HttpRequest request, Delivery delivery)
    {
        var length = delivery.Content.Length;
        if (request.GetTypedHeaders().Range is not { Ranges: { Count: 1 } ranges })
            return length;
        var range = ranges.Single();
        var bytes = range.From is { } from
            ? Math.Min(range.To ?? (length - 1), length - 1) - from + 1
            : Math.Min(range.To ?? length, length);
        // If-Range with another tag is answered whole.
        var whole = request.GetTypedHeaders().IfRange is { EntityTag: { } tag } && !tag.Compare(delivery.Tag, useStrongComparison: true);
        return whole ? length : Math.Max(bytes, 0);
    }

    /// <summary>Takes bytes out of the grant's budget, or gives them back; false when it has not as many.</summary>
    private async Task<bool> ReserveAsync(string grantId, long bytes)
    {
        if (bytes == 0)
            return true;
        await using var command = sessions.DataSource(Role).CreateCommand(
            $"update {PurchasesStore.GrantTable} set bytes_used = bytes_used + $2 "
            + "where grant_id = $1 and bytes_used + $2 between 0 and bytes_max");
        command.Parameters.Add(new NpgsqlParameter { Value = grantId });
        command.Parameters.Add(new NpgsqlParameter { Value = bytes });
        return await command.ExecuteNonQueryAsync(CancellationToken.None) == 1;
    }

    private async Task RecordServedAsync(DeliveryGrant grant, string file)
    {
        // The bytes are out: what is recorded of it does not depend on the connection any more.
        var ct = CancellationToken.None;
        try
        {
            await using var session = sessions.Open(Role, Actor.System("market"), causation: grant.GrantId);
            var stream = await session.Events.FetchForWriting<Purchase>(Purchase.StreamOf(grant.PurchaseId), ct);
            var decision = PurchaseDecider.Decide(new PurchaseCommand.RecordServed(file), stream.Aggregate, clock.Now());
            if (decision is not Decision.Accepted { Events: { Count: > 0 } events })
                return;
            stream.AppendMany(events);
            await session.SaveChangesAsync(ct);
        }
        catch (JasperFx.ConcurrencyException fault)
        {
            // Two downloads ended at once; the next one records it.
            LogNotRecorded(logger, fault, grant.PurchaseId);
        }
    }

    private static Task RefuseAsync(HttpContext context, int status, string code, string message) =>
        Results.Problem(message, statusCode: status, extensions: new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["code"] = code,
        }).ExecuteAsync(context);

    [LoggerMessage(Level = LogLevel.Information, Message = "The end of a download of {PurchaseId} was not recorded.")]
    private static partial void LogNotRecorded(ILogger logger, Exception fault, string purchaseId);

    private sealed record Delivery(HeaderedBody Content, EntityTagHeaderValue Tag);
}
