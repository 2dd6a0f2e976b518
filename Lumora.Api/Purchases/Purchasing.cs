using System.Security.Cryptography;
using System.Text;
using Lumora.Api.Datasets;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Datasets;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Domain.Participants;
using Lumora.Domain.Purchases;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using Lumora.Projections.Participants;
using Lumora.Projections.Purchases;
using Microsoft.Extensions.Options;

namespace Lumora.Api.Purchases;

/// <summary>A quote with its signed text.</summary>
/// <param name="Quote">What is offered.</param>
/// <param name="Token">What the buyer sends back.</param>
public sealed record SignedQuote(Quote Quote, string Token);

/// <summary>A buyer's acceptance of a quote.</summary>
/// <param name="Actor">Who buys.</param>
/// <param name="Key">Idempotency key; it names the ledger transaction.</param>
/// <param name="QuoteToken">The signed quote.</param>
/// <param name="Recipient">The buyer's age recipient, <c>age1…</c>.</param>
public sealed record PurchaseDataset(Actor Actor, string Key, string QuoteToken, string Recipient);

/// <summary>Quotes and purchases. Money and purchase are one commit: the ledger's.</summary>
public sealed class Purchasing(
    ShardSessions sessions, ILedgers ledgers, LedgerQueries ledgerQueries, SubjectKeys subjects, MarketKeys keys,
    IOptions<MarketOptions> options, TimeProvider clock)
{
    private const ShardRole Role = ShardRole.Global;

    /// <summary>An offer of the dataset's newest version, or <c>not_for_sale</c>.</summary>
    public async Task<Result<SignedQuote>> QuoteAsync(Actor actor, string datasetId, CancellationToken ct)
    {
        var dataset = await DatasetAsync(datasetId, ct);
        if (dataset is not { Price: { } price, Latest: { } version })
            return new Rejection("not_for_sale", "The dataset is not for sale.", "datasetId");
        var now = clock.Now();
        var quote = new Quote(
            TypeId.Format("quote", Guid.CreateVersion7(now)), TypeId.Format("purchase", Guid.CreateVersion7(now)),
            actor.Id, dataset.DatasetId, version, dataset.PublisherId, price, options.Value.Split,
            (int)options.Value.ReleaseAfter.TotalSeconds, now + Quote.Lifetime);
        return new SignedQuote(quote, quote.Seal(keys.Tokens));
    }

    /// <summary>
    /// Moves the price into escrow and records the purchase. Repeating the same request gives the first outcome, also
    /// after the quote has expired. Codes: <c>invalid_quote</c>, <c>invalid_recipient</c>, <c>quote_expired</c>,
    /// <c>not_for_sale</c>, <c>price_changed</c>, <c>quote_used</c>, <c>insufficient_funds</c>,
    /// <c>idempotency_conflict</c>, <c>busy</c> and the ledger's shape codes.
    /// </summary>
    public async Task<Result<PurchaseView>> PurchaseAsync(PurchaseDataset command, CancellationToken ct)
    {
        if (Quote.Open(command.QuoteToken, keys.Tokens) is not { } quote || quote.BuyerId != command.Actor.Id)
            return new Rejection("invalid_quote", "This quote was not given to you.", "quote");
        if (!AgeRecipient.TryParse(command.Recipient, out var recipient, out var fault))
            return new Rejection("invalid_recipient", fault, "recipient");

        var posting = PostingOf(quote, recipient);
        var earlier = await ledgerQueries.OutcomeAsync(Role, command.Actor.Id, command.Key, ct);
        if (earlier is not null)
        {
            // The key is taken: the ledger repeats its outcome, or says what differs. It moves nothing.
            return await SubmitAsync(new LedgerRequest(command.Actor, command.Key, posting), quote.PurchaseId, ct);
        }

        if (subjects.Seal(command.Actor.Id, Participant.AgeRecipientField, recipient.Text) is not { } sealedRecipient)
            return ParticipantDecider.NoKey;
        var decision = PurchaseDecider.Decide(
            new PurchaseCommand.Buy(quote, command.Actor.Id, sealedRecipient, await DatasetAsync(quote.DatasetId, ct)),
            state: null, clock.Now());
        if (decision is Decision.Rejected rejected)
            return rejected.Reason;
        // Null = the events start the stream: a purchase that exists under another key makes this a conflict.
        var companion = new CompanionEvents(
            Purchase.StreamOf(quote.PurchaseId), typeof(Purchase), null, ((Decision.Accepted)decision).Events);
        return await SubmitAsync(
            new LedgerRequest(command.Actor, command.Key, posting, companion), quote.PurchaseId, ct);
    }

    private static PostTransaction PostingOf(Quote quote, AgeRecipient recipient) => new(
        "purchase",
        [new Posting(ChartOfAccounts.Available(quote.BuyerId), ChartOfAccounts.Escrow(quote.PurchaseId), quote.Price)],
        new TransactionReference("purchase", quote.PurchaseId),
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["dataset"] = $"{quote.DatasetId}/{quote.Version}",
            // Makes another recipient another content. Salted with the secret quote id, so that the public log does not
            // show that two purchases were made for one recipient.
            ["recipient"] = RecipientTag(quote.QuoteId, recipient),
        });

    private static string RecipientTag(string quoteId, AgeRecipient recipient) => Convert.ToHexStringLower(
        SHA256.HashData(Encoding.UTF8.GetBytes($"lumora/recipient/1\n{quoteId}\n{recipient.Text}")));

    private async Task<Result<PurchaseView>> SubmitAsync(LedgerRequest request, string purchaseId, CancellationToken ct)
    {
        var outcome = await ledgers.For(Role).SubmitAsync(request, ct);
        if (outcome is LedgerOutcome.Busy busy)
            return new Rejection("busy", $"Repeat the same request in {busy.RetryAfter.TotalMilliseconds:0} ms.");
        if (outcome is LedgerOutcome.Refused refused)
            return Translate(refused.Rejection);
        await using var session = sessions.Query(Role);
        var view = await session.LoadAsync<PurchaseView>(Purchase.StreamOf(purchaseId), ct);
        Check.That(view is not null, "a purchase is committed with its posting");
        return view;
    }

    private static Rejection Translate(Rejection rejection) => rejection.Code switch
    {
        // Who never had money has no account.
        LedgerCodes.UnknownAccount => LedgerCodes.Reject(LedgerCodes.InsufficientFunds),
        LedgerCodes.InvalidKey => rejection with { Field = "idempotencyKey" },
        LedgerCodes.CompanionConflict => new("quote_used", "This quote was used for a purchase already.", "quote"),
        _ => rejection,
    };

    private async Task<Dataset?> DatasetAsync(string datasetId, CancellationToken ct)
    {
        if (!TypeId.IsValid("dataset", datasetId))
            return null;
        await using var session = sessions.Query(Role);
        return await session.Events.AggregateStreamAsync<Dataset>(Dataset.StreamOf(datasetId), token: ct);
    }
}
