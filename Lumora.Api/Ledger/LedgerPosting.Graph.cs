using System.ComponentModel;
using GraphQL;
using Lumora.Api.Ledger;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Projections.Ledger;

namespace Lumora.Api.GraphQL;

/// <summary>A payment to another participant.</summary>
/// <param name="To">The payee's account, <c>participant/{id}/available</c>.</param>
/// <param name="Amount">Base units, at least 1.</param>
public sealed record PaymentInput(string To, Amount Amount);

/// <summary>What a transaction is about.</summary>
/// <param name="Type">The kind of thing, in snake_case, up to 64 characters.</param>
/// <param name="Id">Its id, up to 200 characters.</param>
[Name("TransactionReferenceInput")]
public sealed record ReferenceInput(string Type, string Id)
{
    internal static TransactionReference? Of(ReferenceInput? input) =>
        input is null ? null : new TransactionReference(input.Type, input.Id);
}

/// <summary>A pair of free text.</summary>
/// <param name="Key">The name, used once.</param>
/// <param name="Value">The text; it stands in the public journal.</param>
public sealed record MetadataInput(string Key, string Value)
{
    /// <summary>The pairs as the ledger takes them; null with a rejection where a key comes twice.</summary>
    internal static Result<IReadOnlyDictionary<string, string>> Of(IReadOnlyList<MetadataInput>? pairs)
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in pairs ?? [])
        {
            if (!metadata.TryAdd(key, value))
                return LedgerCodes.Reject(LedgerCodes.InvalidRequest, "metadata");
        }

        return metadata;
    }
}

/// <summary>Money from you to other participants: all payments or none.</summary>
/// <param name="IdempotencyKey">Yours, 1 to 128 visible ASCII characters: the same key with the same content has one effect.</param>
/// <param name="Payments">1 to 64, in order.</param>
/// <param name="From">Your account; the only one there is unless you give it.</param>
/// <param name="Reference">What it is about; it stands in the public journal.</param>
/// <param name="Metadata">Free text, up to 1,024 bytes in all; it stands in the public journal.</param>
/// <param name="DryRun">Only say what would be answered now.</param>
public sealed record TransferInput(
    string IdempotencyKey,
    IReadOnlyList<PaymentInput> Payments,
    string? From = null,
    ReferenceInput? Reference = null,
    IReadOnlyList<MetadataInput>? Metadata = null,
    [property: DefaultValue(false)] bool DryRun = false)
{
    internal PostTransaction Command(Actor actor, IReadOnlyDictionary<string, string> metadata) => new(
        OwnMoney.TransferKind,
        [.. Payments.Select(payment => new Posting(From ?? ChartOfAccounts.Available(actor.Id), payment.To, payment.Amount))],
        ReferenceInput.Of(Reference), metadata);
}

/// <summary>Many transfers in one call.</summary>
/// <param name="Transfers">1 to 8,192, each with its own key; <c>dryRun</c> of the call counts, not theirs.</param>
/// <param name="Mode">What they have to do with each other.</param>
/// <param name="DryRun">Only say what would be answered now.</param>
public sealed record TransfersInput(
    IReadOnlyList<TransferInput> Transfers, BulkMode Mode, [property: DefaultValue(false)] bool DryRun = false);

public sealed partial class Mutation
{
    /// <summary>Pays other participants from your own account: all payments or none.</summary>
    /// <param name="input">The payments.</param>
    [AllowSignedIn]
    public static async Task<LedgerPayload> Transfer(
        IResolveFieldContext context, [FromServices] LedgerCalls ledger, TransferInput input, CancellationToken ct)
    {
        var actor = context.Actor();
        var metadata = MetadataInput.Of(input.Metadata);
        return metadata.Rejection is { } fault
            ? LedgerPayload.Refused(fault)
            : await ledger.AskAsync(actor, input.IdempotencyKey, input.Command(actor, metadata.Value!), input.DryRun, ct);
    }

    /// <summary>
    /// Makes many transfers, each with its own answer: all of them or none, or each for itself. What was answered
    /// <c>busy</c> or <c>unavailable</c> is repeated with the same keys.
    /// </summary>
    /// <param name="input">The transfers.</param>
    [AllowSignedIn]
    public static async Task<LedgerBulkPayload> Transfers(
        IResolveFieldContext context, [FromServices] LedgerCalls ledger, TransfersInput input, CancellationToken ct)
    {
        if (input.Transfers.Count is 0 or > LedgerLimits.BulkMax)
            return Refused(LedgerCodes.Reject(LedgerCodes.InvalidRequest, "transfers"));
        var actor = context.Actor();
        var requests = new List<LedgerRequest>(input.Transfers.Count);
        foreach (var transfer in input.Transfers)
        {
            var metadata = MetadataInput.Of(transfer.Metadata);
            if (metadata.Rejection is { } fault)
                return Refused(fault with { Field = $"transfers[{requests.Count}].metadata" });
            requests.Add(new LedgerRequest(actor, transfer.IdempotencyKey, transfer.Command(actor, metadata.Value!)));
        }

        return new LedgerBulkPayload(await ledger.AskAllAsync(requests, input.Mode, input.DryRun, ct), null);

        static LedgerBulkPayload Refused(Rejection rejection) => new([], UserError.From(rejection));
    }
}
