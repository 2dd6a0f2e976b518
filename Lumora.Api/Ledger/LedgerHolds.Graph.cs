using System.ComponentModel;
using GraphQL;
using Lumora.Api.Ledger;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;

namespace Lumora.Api.GraphQL;

/// <summary>Money of yours that you promise: it can go nowhere but through captures of the hold.</summary>
/// <param name="IdempotencyKey">Yours, 1 to 128 visible ASCII characters: the same key with the same content has one effect.</param>
/// <param name="Amount">Base units, at least 1.</param>
/// <param name="Deadline">The last moment at which it can be captured, at most 400 days ahead; then it is yours again.</param>
/// <param name="Account">Your account; the only one there is unless you give it.</param>
/// <param name="Reference">What it is about; it stands in the public journal.</param>
/// <param name="Metadata">Free text, up to 1,024 bytes in all; it stands in the public journal.</param>
/// <param name="DryRun">Only say what would be answered now.</param>
public sealed record HoldFundsInput(
    string IdempotencyKey,
    Amount Amount,
    DateTimeOffset Deadline,
    string? Account = null,
    ReferenceInput? Reference = null,
    IReadOnlyList<MetadataInput>? Metadata = null,
    [property: DefaultValue(false)] bool DryRun = false);

/// <summary>Held money to pay out.</summary>
/// <param name="IdempotencyKey">Yours, 1 to 128 visible ASCII characters: the same key with the same content has one effect.</param>
/// <param name="Hold">The journal version that <c>holdFunds</c> answered.</param>
/// <param name="Payments">1 to 64 payments to other participants, in order.</param>
/// <param name="Finish">Give back what is left afterwards.</param>
/// <param name="DryRun">Only say what would be answered now.</param>
public sealed record CaptureHoldInput(
    string IdempotencyKey,
    long Hold,
    IReadOnlyList<PaymentInput> Payments,
    [property: DefaultValue(false)] bool Finish = false,
    [property: DefaultValue(false)] bool DryRun = false);

/// <summary>A hold to end.</summary>
/// <param name="IdempotencyKey">Yours, 1 to 128 visible ASCII characters: the same key with the same content has one effect.</param>
/// <param name="Hold">The journal version that <c>holdFunds</c> answered.</param>
/// <param name="DryRun">Only say what would be answered now.</param>
public sealed record ReleaseHoldInput(string IdempotencyKey, long Hold, [property: DefaultValue(false)] bool DryRun = false);

public sealed partial class Mutation
{
    /// <summary>Holds money of your account until a deadline. The hold is named by the journal version in the answer.</summary>
    /// <param name="input">How much, and until when.</param>
    [AllowSignedIn]
    public static async Task<LedgerPayload> HoldFunds(
        IResolveFieldContext context, [FromServices] LedgerCalls ledger, HoldFundsInput input, CancellationToken ct)
    {
        var actor = context.Actor();
        var metadata = MetadataInput.Of(input.Metadata);
        if (metadata.Rejection is { } fault)
            return LedgerPayload.Refused(fault);
        var command = new HoldFunds(
            OwnMoney.HoldKind, input.Account ?? ChartOfAccounts.Available(actor.Id), input.Amount, input.Deadline,
            ReferenceInput.Of(input.Reference), metadata.Value);
        return await ledger.AskAsync(actor, input.IdempotencyKey, command, input.DryRun, ct);
    }

    /// <summary>Pays out of a hold that you made: whole, in part, and again until nothing is left or the deadline has passed.</summary>
    /// <param name="input">The payments.</param>
    [AllowSignedIn]
    public static Task<LedgerPayload> CaptureHold(
        IResolveFieldContext context, [FromServices] LedgerCalls ledger, CaptureHoldInput input, CancellationToken ct) =>
        ledger.AskAsync(
            context.Actor(), input.IdempotencyKey,
            new CaptureHold(
                input.Hold, [.. input.Payments.Select(payment => new HoldPayment(payment.To, payment.Amount))], input.Finish),
            input.DryRun, ct);

    /// <summary>Ends a hold that you made: what is left of it is yours again.</summary>
    /// <param name="input">The hold.</param>
    [AllowSignedIn]
    public static Task<LedgerPayload> ReleaseHold(
        IResolveFieldContext context, [FromServices] LedgerCalls ledger, ReleaseHoldInput input, CancellationToken ct) =>
        ledger.AskAsync(context.Actor(), input.IdempotencyKey, new ReleaseHold(input.Hold), input.DryRun, ct);
}
