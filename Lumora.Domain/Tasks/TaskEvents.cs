using System.Text.Json.Serialization;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Tasks;

/// <summary>A batch of pages of one host waits for a node. Stream <c>task/{id}</c>.</summary>
/// <param name="TaskId"><c>task_…</c>.</param>
/// <param name="CollectionId">The collection that it is a part of.</param>
/// <param name="Host">The one host of all <paramref name="Urls"/>, with port where it is not the default.</param>
/// <param name="Urls">Pages, in the collection's order.</param>
/// <param name="AttemptsMax">Leases before it is abandoned.</param>
/// <param name="CreatedAt">When.</param>
[EventContract("task_created")]
public sealed record TaskCreated(
    string TaskId, string CollectionId, string Host, IReadOnlyList<string> Urls, int AttemptsMax,
    DateTimeOffset CreatedAt);

/// <summary>A node has the task until the deadline.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="LeaseId"><c>lease_…</c>, one per attempt.</param>
/// <param name="NodeId">Who.</param>
/// <param name="Attempt">1-based.</param>
/// <param name="LeasedAt">From.</param>
/// <param name="Deadline">Until: a later completion is refused even when the sweeper is late.</param>
[EventContract("task_leased")]
public sealed record TaskLeased(
    string TaskId, string LeaseId, string NodeId, int Attempt, DateTimeOffset LeasedAt, DateTimeOffset Deadline);

/// <summary>The node delivered: the ciphertext is stored, both sides signed the receipt. Not yet judged.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="LeaseId">The lease.</param>
/// <param name="NodeId">Who.</param>
/// <param name="Output">What was delivered.</param>
/// <param name="CompletedAt">When.</param>
[EventContract("task_completed")]
public sealed record TaskCompleted(
    string TaskId, string LeaseId, string NodeId, TaskOutput Output, DateTimeOffset CompletedAt);

/// <summary>The curator decrypted the result and found it as promised.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="LeaseId">The lease.</param>
/// <param name="NodeId">Who.</param>
/// <param name="ResultId"><c>result_…</c>.</param>
/// <param name="Records">Records in the result.</param>
/// <param name="AcceptedAt">When.</param>
[EventContract("task_accepted")]
public sealed record TaskAccepted(
    string TaskId, string LeaseId, string NodeId, string ResultId, int Records, DateTimeOffset AcceptedAt);

/// <summary>The curator refused the result; the task waits for another attempt.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="LeaseId">The lease.</param>
/// <param name="NodeId">Who; its owner sees the reason.</param>
/// <param name="Code">Stable reason, for example <c>content_root_mismatch</c>.</param>
/// <param name="Detail">For people.</param>
/// <param name="RejectedAt">When.</param>
/// <param name="AvailableAt">When it may be leased again.</param>
[EventContract("task_rejected")]
public sealed record TaskRejected(
    string TaskId, string LeaseId, string NodeId, string Code, string Detail, DateTimeOffset RejectedAt,
    DateTimeOffset AvailableAt);

/// <summary>The deadline passed without a result.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="LeaseId">The lease.</param>
/// <param name="NodeId">Who had it.</param>
/// <param name="ExpiredAt">When it was noticed.</param>
/// <param name="AvailableAt">When it may be leased again.</param>
[EventContract("lease_expired")]
public sealed record LeaseExpired(
    string TaskId, string LeaseId, string NodeId, DateTimeOffset ExpiredAt, DateTimeOffset AvailableAt);

/// <summary>The node gave the task back.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="LeaseId">The lease.</param>
/// <param name="NodeId">Who had it.</param>
/// <param name="Code">Its reason, snake_case.</param>
/// <param name="Detail">For people.</param>
/// <param name="RefusedAt">When.</param>
/// <param name="AvailableAt">When it may be leased again.</param>
[EventContract("lease_refused")]
public sealed record LeaseRefused(
    string TaskId, string LeaseId, string NodeId, string Code, string Detail, DateTimeOffset RefusedAt,
    DateTimeOffset AvailableAt);

/// <summary>No attempt is left.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="Reasons">Why each attempt failed, in order.</param>
/// <param name="AbandonedAt">When.</param>
[EventContract("task_abandoned")]
public sealed record TaskAbandoned(string TaskId, IReadOnlyList<string> Reasons, DateTimeOffset AbandonedAt);

/// <summary>What a node delivered for one lease.</summary>
/// <param name="ContentRoot">RFC 6962 root over the plaintext's NDJSON lines, lower-case hex.</param>
/// <param name="Records">Lines.</param>
/// <param name="CiphertextBytes">Length of the age file.</param>
/// <param name="CiphertextSha256">Its SHA-256, lower-case hex; the name of the stored blob.</param>
/// <param name="Pages">One per page of the task that the node visited.</param>
/// <param name="Redactions">How many values were redacted, by kind.</param>
/// <param name="ReceiptHash">SHA-256 of the receipt's signed bytes, lower-case hex.</param>
/// <param name="Receipt">The receipt with the node's signature.</param>
/// <param name="GatewayId">base58 key of the gateway that countersigned.</param>
/// <param name="GatewaySignature">Its signature, base64.</param>
public sealed record TaskOutput(
    string ContentRoot,
    int Records,
    long CiphertextBytes,
    string CiphertextSha256,
    IReadOnlyList<TaskPage> Pages,
    IReadOnlyDictionary<string, int> Redactions,
    string ReceiptHash,
    WorkReceipt Receipt,
    string GatewayId,
    string GatewaySignature);

/// <summary>How one page went.</summary>
/// <param name="Url">As in the task.</param>
/// <param name="FinalUrl">After redirects.</param>
/// <param name="Status">HTTP status; 0 when there was no answer.</param>
/// <param name="BodyBytes">After content decoding.</param>
/// <param name="Sha256">Of the body, lower-case hex; null when there is none.</param>
/// <param name="Records">Records taken from it.</param>
/// <param name="Outcome">How it ended.</param>
public sealed record TaskPage(
    string Url,
    string FinalUrl,
    int Status,
    long BodyBytes,
    string? Sha256,
    int Records,
    [property: JsonConverter(typeof(WireEnumConverter<PageOutcome>))] PageOutcome Outcome);
