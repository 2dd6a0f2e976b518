using Lumora.Domain.Cryptography;
using Lumora.Domain.Datasets;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Purchases;

/// <summary>What can be asked of a purchase.</summary>
public abstract record PurchaseCommand
{
    private PurchaseCommand()
    {
    }

    /// <summary>Accept a quote.</summary>
    /// <param name="Quote">The quote; its signature was checked.</param>
    /// <param name="BuyerId">Who accepts.</param>
    /// <param name="Recipient">The buyer's age recipient, checked and sealed.</param>
    /// <param name="Dataset">The dataset as it is now; null when there is none.</param>
    public sealed record Buy(Quote Quote, string BuyerId, Sealed Recipient, Dataset? Dataset) : PurchaseCommand;

    /// <summary>Let the buyer download.</summary>
    /// <param name="GrantId">The grant.</param>
    /// <param name="BytesMax">Its byte budget.</param>
    /// <param name="ExpiresAt">Until when.</param>
    /// <param name="Headers">The headers of the files; those that are already written are left out of the events.</param>
    public sealed record Grant(
        string GrantId, long BytesMax, DateTimeOffset ExpiresAt, IReadOnlyList<DeliveryHeaderWritten> Headers)
        : PurchaseCommand;

    /// <summary>A file was sent to its last byte.</summary>
    /// <param name="File">The file's name.</param>
    public sealed record RecordServed(string File) : PurchaseCommand;

    /// <summary>The buyer is content.</summary>
    public sealed record Confirm : PurchaseCommand;

    /// <summary>The buyer is not.</summary>
    /// <param name="File">The file; null when the version has none of that name.</param>
    /// <param name="Chunk">Index of the piece.</param>
    /// <param name="Hash">SHA-256, hex, of the piece as received.</param>
    public sealed record Dispute(DatasetFile? File, long Chunk, string Hash) : PurchaseCommand;

    /// <summary>Pay the escrow out.</summary>
    /// <param name="TransactionId">The ledger transaction that will do it.</param>
    /// <param name="StewardReason">Set when a steward decides a dispute.</param>
    public sealed record Release(string TransactionId, string? StewardReason = null) : PurchaseCommand;

    /// <summary>Pay the escrow back.</summary>
    /// <param name="TransactionId">The ledger transaction that will do it.</param>
    /// <param name="Reason">Stable code or a steward's reason.</param>
    public sealed record Refund(string TransactionId, string Reason) : PurchaseCommand;
}

/// <summary>Decides what happens to a purchase. Pure: time comes in as an argument.</summary>
public static class PurchaseDecider
{
    /// <summary>Most grants that one purchase may have.</summary>
    public const int GrantsMax = 1_000;

    /// <summary>
    /// The events that <paramref name="command"/> leads to. Codes: <c>quote_expired</c>, <c>not_for_sale</c>,
    /// <c>price_changed</c>, <c>invalid_quote</c>, <c>not_found</c>, <c>refunded</c>, <c>too_many_grants</c>,
    /// <c>unknown_file</c>, <c>invalid_chunk</c>, <c>invalid_hash</c>, <c>not_delivered</c>, <c>already_released</c>,
    /// <c>not_due</c>, <c>not_disputed</c>.
    /// </summary>
    public static Decision Decide(PurchaseCommand command, Purchase? state, DateTimeOffset now) => (command, state) switch
    {
        (PurchaseCommand.Buy c, null) => Buy(c, now),
        (PurchaseCommand.Buy c, _) => c.BuyerId == state.BuyerId ? Decision.Accept() : InvalidQuote(),
        (_, null) => Decision.Reject("not_found", "There is no such purchase."),
        (PurchaseCommand.Grant c, _) => Grant(c, state, now),
        (PurchaseCommand.RecordServed c, _) => state.Served.Contains(c.File) || state.IsFinished
            ? Decision.Accept()
            : Decision.Accept(new DeliveryServed(state.PurchaseId, c.File, now)),
        (PurchaseCommand.Confirm, _) => Confirm(state, now),
        (PurchaseCommand.Dispute c, _) => Dispute(c, state, now),
        (PurchaseCommand.Release c, _) => Release(c, state, now),
        (PurchaseCommand.Refund c, _) => Refund(c, state, now),
        _ => throw new InvariantViolationException($"unknown command {command.GetType().Name}"),
    };

    private static Decision InvalidQuote() =>
        Decision.Reject("invalid_quote", "This quote was not given to you.", "quote");

    private static Decision Buy(PurchaseCommand.Buy command, DateTimeOffset now)
    {
        var quote = command.Quote;
        if (quote.BuyerId != command.BuyerId)
            return InvalidQuote();
        if (now >= quote.ExpiresAt)
            return Decision.Reject("quote_expired", "The quote has expired; ask for a new one.", "quote");
        if (command.Dataset is not { Price: { } price } dataset || !dataset.Versions.Contains(quote.Version))
            return Decision.Reject("not_for_sale", "The dataset is not for sale.", "quote");
        if (price != quote.Price)
            return Decision.Reject("price_changed", $"The price is now {price.Format()}; ask for a new quote.", "quote");
        return Decision.Accept(new DatasetPurchased(
            quote.PurchaseId, quote.QuoteId, quote.BuyerId, quote.DatasetId, quote.Version, quote.PublisherId,
            quote.Price, quote.Split, quote.ReleaseAfterSeconds, command.Recipient, now));
    }

    private static Decision Grant(PurchaseCommand.Grant command, Purchase state, DateTimeOffset now)
    {
        if (state.Status == PurchaseStatus.Refunded)
            return Decision.Reject("refunded", "The purchase was paid back, so it cannot be downloaded.");
        if (state.GrantCount >= GrantsMax)
            return Decision.Reject("too_many_grants", $"A purchase has at most {GrantsMax} download grants.");
        var headers = command.Headers.Where(header => !state.Headers.ContainsKey(header.File));
        var granted = new DeliveryGranted(state.PurchaseId, command.GrantId, command.BytesMax, command.ExpiresAt, now);
        return Decision.Accept([.. headers.Select(header => header with { At = now }), granted]);
    }

    private static Decision Confirm(Purchase state, DateTimeOffset now) => state.Status switch
    {
        PurchaseStatus.Refunded => Decision.Reject("refunded", "The purchase was paid back."),
        PurchaseStatus.Confirmed or PurchaseStatus.Released => Decision.Accept(),
        _ => Decision.Accept(new DeliveryConfirmed(state.PurchaseId, now)),
    };

    private static Decision Dispute(PurchaseCommand.Dispute command, Purchase state, DateTimeOffset now)
    {
        if (state.Status is PurchaseStatus.Confirmed or PurchaseStatus.Released)
            return Decision.Reject("already_released", "The delivery was confirmed or its time to answer is over.");
        if (state.Status is PurchaseStatus.Refunded)
            return Decision.Reject("refunded", "The purchase was paid back.");
        if (state.Status is PurchaseStatus.Disputed)
            return Decision.Accept();
        if (command.File is not { } file)
            return Decision.Reject("unknown_file", "The version has no file of that name.", "file");
        if (!state.Served.Contains(file.Name))
            return Decision.Reject("not_delivered", "The file has not been downloaded whole yet.", "file");
        if (command.Chunk < 0 || command.Chunk >= DatasetPieces.CountOf(file.BodyBytes))
            return Decision.Reject("invalid_chunk", "The file has no piece of that index.", "chunk");
        if (command.Hash.Length != 64 || !command.Hash.All(char.IsAsciiHexDigitLower))
            return Decision.Reject("invalid_hash", "A SHA-256 has 64 lower-case hexadecimal digits.", "hash");
        return Decision.Accept(new DeliveryDisputed(state.PurchaseId, file.Name, command.Chunk, command.Hash, now));
    }

    private static Decision Release(PurchaseCommand.Release command, Purchase state, DateTimeOffset now)
    {
        if (state.Status == PurchaseStatus.Released)
            return Decision.Accept();
        if (state.Status == PurchaseStatus.Refunded)
            return Decision.Reject("refunded", "The purchase was paid back.");
        if (command.StewardReason is not null && state.Status != PurchaseStatus.Disputed)
            return Decision.Reject("not_disputed", "Only a disputed purchase is for stewards to decide.");
        if (command.StewardReason is null && !(state.ReleaseDueAt <= now))
            return Decision.Reject("not_due", "The buyer still has time to answer.");
        var trigger = state.Status switch
        {
            PurchaseStatus.Confirmed => ReleaseTrigger.Confirmed,
            PurchaseStatus.Disputed => ReleaseTrigger.Steward,
            _ => ReleaseTrigger.Timer,
        };
        return Decision.Accept(new PurchaseReleased(
            state.PurchaseId, command.TransactionId, state.Split.Divide(state.Price), trigger, command.StewardReason, now));
    }

    private static Decision Refund(PurchaseCommand.Refund command, Purchase state, DateTimeOffset now) => state.Status switch
    {
        PurchaseStatus.Refunded => Decision.Accept(),
        PurchaseStatus.Disputed => Decision.Accept(
            new PurchaseRefunded(state.PurchaseId, command.TransactionId, state.Price, command.Reason, now)),
        PurchaseStatus.Released => Decision.Reject("already_released", "The escrow was paid out already."),
        _ => Decision.Reject("not_disputed", "Only a disputed purchase can be paid back."),
    };
}
