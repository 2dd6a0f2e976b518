using Lumora.Domain.Kernel;

namespace Lumora.Domain.Tasks;

/// <summary>Shape checks of node messages: what a reader may rely on after the JSON was read. Null means it holds.</summary>
public static class NodeProtocolShapes
{
    /// <summary>Checks <paramref name="request"/>.</summary>
    public static Rejection? Check(LeaseRequest request) =>
        request.WaitSeconds is >= 0 and <= NodeProtocol.WaitSecondsMax
            ? null
            : new Rejection("bad_wait", $"waitSeconds is 0 to {NodeProtocol.WaitSecondsMax}.", "waitSeconds");

    /// <summary>Checks a lease before a node works on it; the age recipient is parsed by who encrypts.</summary>
    public static Rejection? Check(Lease lease, ISelectorSyntax syntax)
    {
        if (!TypeId.IsValid("lease", lease.LeaseId))
            return Bad("leaseId", "is no lease id");
        if (!TypeId.IsValid("task", lease.TaskId))
            return Bad("taskId", "is no task id");
        if (!TypeId.IsValid("collection", lease.CollectionId))
            return Bad("collectionId", "is no collection id");
        if (lease.Attempt < 1)
            return Bad("attempt", "counts from 1");
        if (lease.Urls.Count is 0 or > NodeProtocol.UrlsMax)
            return Bad("urls", $"has 1 to {NodeProtocol.UrlsMax} entries");
        if (lease.AllowedHosts.Count is 0 or > NodeProtocol.AllowedHostsMax || !lease.AllowedHosts.All(HostRule.IsValid))
            return Bad("allowedHosts", $"has 1 to {NodeProtocol.AllowedHostsMax} host rules");
        if (lease.PageBytesMax is < 1 or > NodeProtocol.PageBytesCeiling)
            return Bad("pageBytesMax", $"is 1 to {NodeProtocol.PageBytesCeiling}");
        if (lease.RecordsPerPageMax is < 1 or > NodeProtocol.RecordsPerPageCeiling)
            return Bad("recordsPerPageMax", $"is 1 to {NodeProtocol.RecordsPerPageCeiling}");
        if (!lease.Recipient.StartsWith("age1", StringComparison.Ordinal))
            return Bad("recipient", "is no age recipient");
        return ExtractionRules.Check(lease.Rules, lease.RecordSelector, syntax);
    }

    /// <summary>
    /// Checks a result in itself: hashes are hashes, counts agree with the pages, and the receipt says the same.
    /// Signature, lease and plaintext are checked by who holds the keys.
    /// </summary>
    public static Rejection? Check(TaskResult result)
    {
        if (!IsHash(result.ContentRoot))
            return Bad("contentRoot", "is no SHA-256 in lower-case hex");
        if (!IsHash(result.CiphertextSha256))
            return Bad("ciphertextSha256", "is no SHA-256 in lower-case hex");
        if (result.CiphertextBytes is < 1 or > NodeProtocol.CiphertextBytesMax)
            return Bad("ciphertextBytes", $"is 1 to {NodeProtocol.CiphertextBytesMax}");
        if (result.Pages.Count is 0 or > NodeProtocol.UrlsMax)
            return Bad("pages", $"has 1 to {NodeProtocol.UrlsMax} entries");
        if (result.Pages.Any(page => !IsSound(page)))
            return Bad("pages", "has an entry that contradicts itself");
        if (result.Records != result.Pages.Sum(page => page.Records))
            return Bad("records", "is not the sum over the pages");
        if (result.Redactions.Any(pair => pair.Value < 0 || !RedactionKinds.All.Contains(pair.Key, StringComparer.Ordinal)))
            return Bad("redactions", "has an unknown kind or a negative count");
        return Check(result.Receipt, result);
    }

    private static Rejection? Check(WorkReceipt receipt, TaskResult result)
    {
        var bytesIn = result.Pages.Sum(page => page.BodyBytes);
        var status = result.Pages.All(page => page.Outcome == PageOutcome.Fetched) ? WorkStatus.Complete : WorkStatus.Partial;
        if (receipt.LeaseId != result.LeaseId)
            return Bad("receipt.leaseId", "is another lease");
        if (receipt.Seq < 1)
            return Bad("receipt.seq", "counts from 1");
        if (receipt.BytesIn != bytesIn)
            return Bad("receipt.bytesIn", "is not the sum over the pages");
        if (receipt.BytesOut != result.CiphertextBytes)
            return Bad("receipt.bytesOut", "differs from ciphertextBytes");
        if (receipt.ContentRoot != result.ContentRoot)
            return Bad("receipt.contentRoot", "differs from the result's");
        if (receipt.Status != status)
            return Bad("receipt.status", "contradicts the pages");
        if (receipt.Start < 0 || receipt.End < receipt.Start)
            return Bad("receipt.end", "lies before the start");
        return receipt.Sig is null ? Bad("receipt.sig", "is missing") : null;
    }

    // An array may hold a null: the reader of JSON does not look at its elements.
    private static bool IsSound(PageResult? page) =>
        page is not null
        && page.BodyBytes is >= 0 and <= NodeProtocol.PageBytesCeiling
        && page.Records is >= 0 and <= NodeProtocol.RecordsPerPageCeiling
        && page.EndedAt >= page.StartedAt
        && (page.Outcome == PageOutcome.Fetched
            ? page.Status is >= 200 and < 300 && page.Sha256 is { } hash && IsHash(hash)
            : page is { BodyBytes: 0, Records: 0, Sha256: null });

    private static bool IsHash(string text) =>
        text.Length == 64 && text.All(c => char.IsAsciiDigit(c) || c is >= 'a' and <= 'f');

    private static Rejection Bad(string field, string what) => new("bad_shape", $"{field} {what}.", field);
}
