using System.ComponentModel;
using GraphQL;
using Lumora.Api.Deliveries;
using Lumora.Domain.Kernel;
using Lumora.Projections.Purchases;

namespace Lumora.Api.GraphQL;

public sealed partial class Mutation
{
    /// <summary>Lets you download what you bought, for 15 minutes; ask again as often as you need.</summary>
    [AllowSignedIn]
    public static async Task<GrantDeliveryPayload> GrantDelivery(
        IResolveFieldContext context, [FromServices] Delivering delivering, [Description("The purchase.")] GrantDeliveryInput input, CancellationToken ct)
    {
        var result = await delivering.GrantAsync(context.Actor(), input.PurchaseId, ct);
        return new GrantDeliveryPayload(result.Value, UserError.From(result.Rejection));
    }

    /// <summary>Says that what came is what was sold: the escrow is released.</summary>
    [AllowSignedIn]
    public static async Task<DeliveryAnswerPayload> ConfirmDelivery(
        IResolveFieldContext context, [FromServices] Delivering delivering, [Description("The purchase.")] ConfirmDeliveryInput input, CancellationToken ct) =>
        Answer(await delivering.ConfirmAsync(context.Actor(), input.PurchaseId, ct));

    /// <summary>Says that a piece of what came is not what was committed to: the escrow waits.</summary>
    [AllowSignedIn]
    public static async Task<DeliveryAnswerPayload> DisputeDelivery(
        IResolveFieldContext context, [FromServices] Delivering delivering, [Description("The piece.")] DisputeDeliveryInput input, CancellationToken ct) =>
        Answer(await delivering.DisputeAsync(context.Actor(), input.PurchaseId, input.File, input.Chunk, input.Hash, ct));

    /// <summary>Decides a dispute.</summary>
    [Allow(Roles.Steward)]
    public static async Task<DeliveryAnswerPayload> ResolveDispute(
        [FromServices] Delivering delivering, [Description("The decision.")] ResolveDisputeInput input, CancellationToken ct) =>
        Answer(await delivering.ResolveAsync(input.PurchaseId, input.Release, input.Reason, ct));

    private static DeliveryAnswerPayload Answer(Result<PurchaseView> result) => new(
        result.Value is { } purchase ? new PurchaseInfo(purchase) : null, UserError.From(result.Rejection));
}

/// <summary>What to download.</summary>
/// <param name="PurchaseId">Your purchase.</param>
public sealed record GrantDeliveryInput([property: Id] string PurchaseId);

/// <summary>The grant, or why there is none.</summary>
/// <param name="Grant">The grant with the addresses of the files.</param>
/// <param name="Error">Why there is none.</param>
public sealed record GrantDeliveryPayload(GrantedDelivery? Grant, UserError? Error);

/// <summary>What is confirmed.</summary>
/// <param name="PurchaseId">Your purchase.</param>
public sealed record ConfirmDeliveryInput([property: Id] string PurchaseId);

/// <summary>What is disputed.</summary>
/// <param name="PurchaseId">Your purchase.</param>
/// <param name="File">The file's name.</param>
/// <param name="Chunk">Index of the 65,536-byte piece of the payload, from 0, as text.</param>
/// <param name="Hash">SHA-256 of the piece as you received it, hex.</param>
public sealed record DisputeDeliveryInput([property: Id] string PurchaseId, string File, long Chunk, string Hash);

/// <summary>A steward's decision.</summary>
/// <param name="PurchaseId">The disputed purchase.</param>
/// <param name="Release">True: to the publisher; false: back to the buyer.</param>
/// <param name="Reason">3 to 500 characters; stands in the public log.</param>
public sealed record ResolveDisputeInput([property: Id] string PurchaseId, bool Release, string Reason);

/// <summary>What became of it.</summary>
/// <param name="Purchase">The purchase as it is now.</param>
/// <param name="Error">Why it was refused.</param>
public sealed record DeliveryAnswerPayload(PurchaseInfo? Purchase, UserError? Error);
