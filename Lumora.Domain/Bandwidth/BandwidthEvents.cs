using Lumora.Domain.Kernel;

namespace Lumora.Domain.Bandwidth;

/// <summary>
/// Accepted work of one node under one lease, in the same commit as the acceptance and in the same stream
/// (<c>task/{id}</c>), so that neither exists without the other.
/// </summary>
/// <param name="ContributionId"><c>contribution_…</c>.</param>
/// <param name="NodeId">Who worked.</param>
/// <param name="Owner">Participant id of the provider who is paid.</param>
/// <param name="TaskId">The task.</param>
/// <param name="LeaseId">The lease: one contribution each.</param>
/// <param name="CollectionId">The collection.</param>
/// <param name="Epoch">The epoch that pays it: the time's, or the next one still open.</param>
/// <param name="Pages">Pages counted.</param>
/// <param name="Bytes">Body bytes of accepted pages, each capped, each once.</param>
/// <param name="ReceiptHash">SHA-256 of the receipt that both sides signed, lower-case hex.</param>
/// <param name="RecordedAt">When.</param>
[EventContract("contribution_recorded")]
public sealed record ContributionRecorded(
    string ContributionId, string NodeId, string Owner, string TaskId, string LeaseId, string CollectionId, long Epoch,
    int Pages, long Bytes, string ReceiptHash, DateTimeOffset RecordedAt);
