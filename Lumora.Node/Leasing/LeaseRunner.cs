using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Kernel;
using Lumora.Domain.Tasks;
using Lumora.Node.Extraction;
using Lumora.Node.Fetching;
using Lumora.Node.Keys;
using Lumora.Node.Limits;

namespace Lumora.Node.Leasing;

/// <summary>Does one lease from its first page to its countersigned receipt, or gives it back.</summary>
internal sealed class LeaseRunner(
    NodeKey key, Gateway gateway, PageFetcher fetcher, LeaseFolder folder, ByteBudget budget, OwnerLog log, TimeProvider clock)
{
    /// <summary>Plaintext of one lease; age adds less than a hundredth.</summary>
    private const long RecordsBytesMax = NodeProtocol.CiphertextBytesMax / 10 * 9;

    private static readonly TimeSpan DeliveryReserveMax = TimeSpan.FromSeconds(30);

    /// <summary>Works on <paramref name="work"/>; when <paramref name="abort"/> fires, what is done stays for the next start.</summary>
    internal async Task RunAsync(LeaseInWork work, CancellationToken abort)
    {
        var lease = work.Lease;
        using var deadline = new CancellationTokenSource(Until(lease.Deadline), clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, abort);
        try
        {
            var result = folder.FindResult() ?? await WorkAsync(work, both.Token);
            if (result is not null)
                await DeliverAsync(result, both.Token);
            folder.Clear();
        }
        catch (OperationCanceledException) when (abort.IsCancellationRequested)
        {
            log.Write("lease_kept", ("leaseId", lease.LeaseId), ("deadline", lease.Deadline));
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            log.Write("lease_expired", ("leaseId", lease.LeaseId), ("deadline", lease.Deadline));
            folder.Clear();
        }
        catch (GatewayRefusedException refused)
        {
            log.Write("lease_lost", ("leaseId", lease.LeaseId), ("reason", refused.Message));
            folder.Clear();
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            // One bad lease does not end the agent, but it says so, to its owner and to the network.
            log.Write("internal_error", ("leaseId", lease.LeaseId), ("fault", fault.ToString()));
            await GiveUpAsync(lease, fault, both.Token);
        }
    }

    /// <summary>The signed result, or null when the lease was given back.</summary>
    private async Task<TaskResult?> WorkAsync(LeaseInWork work, CancellationToken cancellationToken)
    {
        var lease = work.Lease;
        if (NodeProtocolShapes.Check(lease, new CssSelectors()) is { } fault)
            return await RefuseAsync(lease, RefusalReason.Unsupported, fault.Message, cancellationToken);
        if (!AgeRecipient.TryParse(lease.Recipient, out var recipient, out var wrong))
            return await RefuseAsync(lease, RefusalReason.Unsupported, $"recipient: {wrong}", cancellationToken);

        var pages = await FetchAsync(work, cancellationToken);
        if (pages.All(page => page.Result.Outcome == PageOutcome.NotAttempted))
        {
            var reason = budget.Left == 0 ? RefusalReason.CapReached : RefusalReason.TooLate;
            return await RefuseAsync(lease, reason, "No page could be tried.", cancellationToken);
        }

        var result = await SealAsync(work, pages, recipient, cancellationToken);
        folder.Finish(result);
        return result;
    }

    private async Task<List<PageProgress>> FetchAsync(LeaseInWork work, CancellationToken cancellationToken)
    {
        var lease = work.Lease;
        var pages = folder.Recover();
        // Time to encrypt and upload: a fifth of the lease, at most half a minute.
        var reserve = (lease.Deadline - work.StartedAt) / 5;
        var fetchUntil = lease.Deadline - (reserve < DeliveryReserveMax ? reserve : DeliveryReserveMax);
        using var timeUp = new CancellationTokenSource(Until(fetchUntil), clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timeUp.Token, cancellationToken);
        foreach (var url in lease.Urls.Skip(pages.Count))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var room = !timeUp.IsCancellationRequested && budget.Left > 0 && folder.RecordsLength < RecordsBytesMax;
            try
            {
                pages.Add(room ? await PageAsync(lease, url, both.Token) : Skip(url));
            }
            catch (OperationCanceledException) when (timeUp.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                pages.Add(Skip(url));
            }
        }

        return pages;
    }

    private async Task<PageProgress> PageAsync(Lease lease, string url, CancellationToken cancellationToken)
    {
        var startedAt = clock.Now();
        var page = await fetcher.FetchAsync(lease, url, cancellationToken);
        var endedAt = clock.Now();
        budget.Save();
        var outcome = page.Outcome;
        if (outcome == PageOutcome.TooLarge && budget.Left < lease.PageBytesMax)
        {
            // A page that only the owner's cap made too large was not given its chance.
            outcome = PageOutcome.NotAttempted;
            budget.CloseDay();
        }

        var redactions = new Dictionary<string, int>(StringComparer.Ordinal);
        IReadOnlyList<byte[]> lines = [];
        if (outcome == PageOutcome.Fetched)
            (outcome, lines) = Read(lease, url, page, startedAt, redactions);
        var fetched = outcome == PageOutcome.Fetched;
        var result = new PageResult(
            url, page.FinalUrl.OriginalString, page.Status, fetched ? page.Body!.Length : 0,
            fetched ? Convert.ToHexStringLower(SHA256.HashData(page.Body!)) : null, lines.Count, startedAt, endedAt, outcome);
        log.Write("page", ("url", url), ("outcome", outcome), ("status", page.Status), ("bytes", result.BodyBytes), ("records", lines.Count));
        return folder.Add(result, lines, redactions);
    }

    private static (PageOutcome Outcome, IReadOnlyList<byte[]> Lines) Read(
        Lease lease, string url, FetchedPage page, DateTimeOffset startedAt, Dictionary<string, int> redactions)
    {
        if (PageText.Decode(page.Body!, page.Charset) is not { } text)
            return (PageOutcome.BadCharset, []);
        try
        {
            return (PageOutcome.Fetched, RecordExtractor.Extract(lease, url, page.FinalUrl, text, startedAt, redactions));
        }
        catch (Exception fault) when (fault is PageTooComplexException or RegexMatchTimeoutException)
        {
            // What cannot be redacted in time is not handed on.
            redactions.Clear();
            return (PageOutcome.UnsupportedType, []);
        }
    }

    private PageProgress Skip(string url)
    {
        var now = clock.Now();
        return folder.Add(
            new PageResult(url, url, 0, 0, null, 0, now, now, PageOutcome.NotAttempted), [],
            new Dictionary<string, int>(StringComparer.Ordinal));
    }

    /// <summary>Encrypts the records, computes the root over their lines and signs the receipt.</summary>
    private async Task<TaskResult> SealAsync(
        LeaseInWork work, List<PageProgress> pages, AgeRecipient recipient, CancellationToken cancellationToken)
    {
        await using var records = folder.OpenRecords();
        var root = ContentRoot.Of(records);
        records.Position = 0;
        await using var ciphertext = AtomicFile.Create(folder.CiphertextPath);
        await AgeEncryptor.EncryptAsync(
            records, ciphertext, [recipient], NodeKey.Curve, RandomNumberGenerator.Fill, cancellationToken);
        ciphertext.Flush(flushToDisk: true);
        ciphertext.Position = 0;
        var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(ciphertext, cancellationToken));

        var results = pages.ConvertAll(page => page.Result);
        var receipt = key.Sign(new WorkReceipt(
            work.Lease.LeaseId,
            key.NodeId,
            Seq: 1,
            results.Sum(page => page.BodyBytes),
            ciphertext.Length,
            root,
            results.TrueForAll(page => page.Outcome == PageOutcome.Fetched) ? WorkStatus.Complete : WorkStatus.Partial,
            work.StartedAt.ToUnixTimeMilliseconds(),
            clock.Now().ToUnixTimeMilliseconds()));
        var redactions = pages.SelectMany(page => page.Redactions)
            .GroupBy(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.Sum(), StringComparer.Ordinal);
        return new TaskResult(
            work.Lease.LeaseId, root, results.Sum(page => page.Records), ciphertext.Length, hash, results, redactions, receipt);
    }

    private async Task DeliverAsync(TaskResult result, CancellationToken cancellationToken)
    {
        await using (var ciphertext = AtomicFile.Open(folder.CiphertextPath, FileMode.Open, FileAccess.Read))
            await gateway.UploadAsync(result.LeaseId, ciphertext, cancellationToken);
        var countersigned = await gateway.CompleteAsync(result, cancellationToken);
        log.Write(
            "lease_completed",
            ("leaseId", result.LeaseId), ("records", result.Records), ("bytesIn", result.Receipt.BytesIn),
            ("bytesOut", result.CiphertextBytes), ("redactions", result.Redactions),
            ("countersignature", Countersignature.Holds(countersigned, result.Receipt) ? "valid" : "INVALID"),
            ("receipt", countersigned));
    }

    private async Task GiveUpAsync(Lease lease, Exception fault, CancellationToken cancellationToken)
    {
        try
        {
            folder.Clear();
            await RefuseAsync(lease, RefusalReason.InternalError, fault.GetType().Name, cancellationToken);
        }
        catch (Exception again) when (again is OperationCanceledException or GatewayRefusedException or IOException)
        {
            log.Write("refusal_not_sent", ("leaseId", lease.LeaseId), ("fault", again.Message));
        }
    }

    private async Task<TaskResult?> RefuseAsync(
        Lease lease, RefusalReason reason, string detail, CancellationToken cancellationToken)
    {
        log.Write("lease_refused", ("leaseId", lease.LeaseId), ("reason", reason), ("detail", detail));
        await gateway.RefuseAsync(lease.LeaseId, new LeaseRefusal(reason, detail), cancellationToken);
        return null;
    }

    /// <summary>From now to <paramref name="time"/>: not negative, and no more than a timer takes.</summary>
    private TimeSpan Until(DateTimeOffset time)
    {
        var left = time - clock.GetUtcNow();
        return left <= TimeSpan.Zero ? TimeSpan.Zero : left < TimeSpan.FromDays(1) ? left : TimeSpan.FromDays(1);
    }
}
