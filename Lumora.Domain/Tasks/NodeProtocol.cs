using System.Text.Json.Serialization;

namespace Lumora.Domain.Tasks;

/// <summary>
/// Routes, headers and limits of the node protocol: JSON over HTTPS, every request signed by the node (RFC 9421).
/// The node asks, it is never called.
/// </summary>
public static class NodeProtocol
{
    /// <summary><c>POST</c> <see cref="LeaseRequest"/> → 200 <see cref="Lease"/> or 204 when there is no work.</summary>
    public const string LeasesPath = "/v1/nodes/leases";

    /// <summary><c>GET</c> → 200 <see cref="NodeSelf"/>.</summary>
    public const string SelfPath = "/v1/nodes/self";

    /// <summary>On <c>PUT</c> of a chunk: where it starts. On answers: how many bytes the gateway holds.</summary>
    public const string UploadOffsetHeader = "Upload-Offset";

    /// <summary>Seconds that a request for work may wait for it.</summary>
    public const int WaitSecondsMax = 25;

    /// <summary>Bytes of one uploaded chunk.</summary>
    public const int ChunkBytesMax = 4 * 1024 * 1024;

    /// <summary>Bytes of one result as uploaded.</summary>
    public const long CiphertextBytesMax = 256L * 1024 * 1024;

    /// <summary>Addresses in one lease.</summary>
    public const int UrlsMax = 500;

    /// <summary>Host rules in one lease.</summary>
    public const int AllowedHostsMax = 100;

    /// <summary>Largest body of one page that a lease may allow, in bytes.</summary>
    public const int PageBytesCeiling = 16 * 1024 * 1024;

    /// <summary>Most records that a lease may allow for one page.</summary>
    public const int RecordsPerPageCeiling = 10_000;

    /// <summary><c>PUT</c> a chunk, <c>HEAD</c> asks for the offset.</summary>
    public static string ResultPath(string leaseId) => $"{LeasesPath}/{leaseId}/result";

    /// <summary><c>POST</c> <see cref="TaskResult"/> → 200 <see cref="ReceiptCountersigned"/>.</summary>
    public static string CompletePath(string leaseId) => $"{LeasesPath}/{leaseId}/complete";

    /// <summary><c>POST</c> <see cref="LeaseRefusal"/> → 204.</summary>
    public static string RefusePath(string leaseId) => $"{LeasesPath}/{leaseId}/refuse";
}

/// <summary>A node asks for work.</summary>
/// <param name="WaitSeconds">How long the gateway may hold the request while there is none: 0 to <see cref="NodeProtocol.WaitSecondsMax"/>.</param>
public sealed record LeaseRequest(int WaitSeconds);

/// <summary>Work for one node until <paramref name="Deadline"/>.</summary>
/// <param name="LeaseId"><c>lease_…</c>.</param>
/// <param name="TaskId"><c>task_…</c>.</param>
/// <param name="CollectionId"><c>collection_…</c>.</param>
/// <param name="Attempt">Which attempt at this task this is, from 1.</param>
/// <param name="Deadline">When the lease ends; a result after it is not taken.</param>
/// <param name="Urls">Pages to fetch, absolute http or https, at most <see cref="NodeProtocol.UrlsMax"/>.</param>
/// <param name="AllowedHosts">Host rules (<see cref="HostRule"/>) that every request and every redirect must match.</param>
/// <param name="Rules">What to take from a page.</param>
/// <param name="PageBytesMax">Largest body after content decoding, in bytes; a longer page is not used at all.</param>
/// <param name="RecordsPerPageMax">Most records of one page; more are dropped, from the end.</param>
/// <param name="Recipient">The collection's age recipient, <c>age1…</c>: the result is encrypted to it.</param>
/// <param name="Redact">Whether personal data is redacted before the result is encrypted.</param>
/// <param name="RecordSelector">Each element that matches it is a record of its own; absent: a page is one record.</param>
public sealed record Lease(
    string LeaseId,
    string TaskId,
    string CollectionId,
    int Attempt,
    DateTimeOffset Deadline,
    IReadOnlyList<string> Urls,
    IReadOnlyList<string> AllowedHosts,
    IReadOnlyList<ExtractionRule> Rules,
    int PageBytesMax,
    int RecordsPerPageMax,
    string Recipient,
    bool Redact,
    string? RecordSelector = null);

/// <summary>How a page ended. Names are frozen: owners and curators read them.</summary>
public enum PageOutcome
{
    /// <summary>Fetched and read; it may still have given no record.</summary>
    Fetched,

    /// <summary>The address is not http(s), or not absolute.</summary>
    BadUrl,

    /// <summary>No host rule of the lease admits the address, or one that it redirected to.</summary>
    HostNotAllowed,

    /// <summary>The name resolves to an address that is not public, at first or after a redirect.</summary>
    AddressNotPublic,

    /// <summary>robots.txt forbids it (RFC 9309).</summary>
    RobotsForbidden,

    /// <summary>robots.txt could not be read for a reason that counts as a complete ban (RFC 9309 §2.3.1.4).</summary>
    RobotsUnreachable,

    /// <summary>More than five redirects: also a loop.</summary>
    TooManyRedirects,

    /// <summary>The body is longer than the lease allows.</summary>
    TooLarge,

    /// <summary>Neither name, connection nor body came in time.</summary>
    TimedOut,

    /// <summary>The site answered with a status other than 2xx.</summary>
    HttpError,

    /// <summary>No connection, or it broke.</summary>
    NetworkError,

    /// <summary>The media type is none that rules can be applied to, or the page is built to exhaust its reader.</summary>
    UnsupportedType,

    /// <summary>The named charset is unknown, or more than one character in a thousand is not in it.</summary>
    BadCharset,

    /// <summary>Not tried: the lease ended, a cap was reached or the node was stopped.</summary>
    NotAttempted,
}

/// <summary>What became of one page.</summary>
/// <param name="Url">As in the lease.</param>
/// <param name="FinalUrl">After redirects; equal to <paramref name="Url"/> without any.</param>
/// <param name="Status">HTTP status of the last answer, 0 when there was none.</param>
/// <param name="BodyBytes">Bytes of the body after content decoding; 0 unless <see cref="PageOutcome.Fetched"/>.</param>
/// <param name="Sha256">SHA-256 of those bytes in lower-case hex; null when there was no body (written as null: readers ask for it).</param>
/// <param name="Records">Records taken from it.</param>
/// <param name="StartedAt">Before the first request.</param>
/// <param name="EndedAt">After the last byte.</param>
/// <param name="Outcome">How it ended.</param>
public sealed record PageResult(
    string Url,
    string FinalUrl,
    int Status,
    long BodyBytes,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Sha256,
    int Records,
    DateTimeOffset StartedAt,
    DateTimeOffset EndedAt,
    PageOutcome Outcome);

/// <summary>A finished lease; its ciphertext has been uploaded before.</summary>
/// <param name="LeaseId">The lease.</param>
/// <param name="ContentRoot">RFC 6962 root over the plaintext's lines without their newlines, 64 hex digits.</param>
/// <param name="Records">Lines of the plaintext.</param>
/// <param name="CiphertextBytes">Bytes uploaded.</param>
/// <param name="CiphertextSha256">Their SHA-256, 64 hex digits.</param>
/// <param name="Pages">One entry for each address of the lease, in its order.</param>
/// <param name="Redactions">How often each kind of personal data (<see cref="RedactionKinds"/>) was replaced.</param>
/// <param name="Receipt">The node's signed receipt for the same numbers.</param>
public sealed record TaskResult(
    string LeaseId,
    string ContentRoot,
    int Records,
    long CiphertextBytes,
    string CiphertextSha256,
    IReadOnlyList<PageResult> Pages,
    IReadOnlyDictionary<string, int> Redactions,
    WorkReceipt Receipt);

/// <summary>Why a node gives a lease back. Names are frozen.</summary>
public enum RefusalReason
{
    /// <summary>The node is being stopped.</summary>
    ShuttingDown,

    /// <summary>The owner's daily cap, or another limit of the owner, leaves no room.</summary>
    CapReached,

    /// <summary>The lease cannot end in time.</summary>
    TooLate,

    /// <summary>The lease is malformed or asks for what this node cannot do.</summary>
    Unsupported,

    /// <summary>The node's record of a lease did not survive a restart.</summary>
    StateLost,

    /// <summary>A fault of the node; the detail says more.</summary>
    InternalError,
}

/// <summary>A node gives a lease back.</summary>
/// <param name="Reason">Why.</param>
/// <param name="Detail">For people, at most 500 characters.</param>
public sealed record LeaseRefusal(RefusalReason Reason, string Detail);

/// <summary>What the network knows about the node that asks.</summary>
/// <param name="NodeId">Base58 of its public key.</param>
/// <param name="State">The state of the node's stream, snake_case.</param>
/// <param name="Limits">What the network holds it to.</param>
/// <param name="LastRefused">Its last results that were not accepted, newest first, with why.</param>
public sealed record NodeSelf(
    string NodeId, string State, NodeLimits Limits, IReadOnlyList<RefusedResult> LastRefused);

/// <summary>Limits of a node; the smaller of these and the owner's own on the machine counts.</summary>
/// <param name="DailyBytesMax">Bytes fetched in one UTC day; absent: no limit.</param>
/// <param name="BytesPerSecondMax">Rate; absent: no limit.</param>
public sealed record NodeLimits(long? DailyBytesMax = null, long? BytesPerSecondMax = null);

/// <summary>A result that was not accepted.</summary>
/// <param name="LeaseId">Its lease.</param>
/// <param name="Code">Stable, snake_case.</param>
/// <param name="Message">For the node's owner.</param>
/// <param name="At">When it was refused.</param>
public sealed record RefusedResult(string LeaseId, string Code, string Message, DateTimeOffset At);
