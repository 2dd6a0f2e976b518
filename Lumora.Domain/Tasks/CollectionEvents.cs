using Lumora.Domain.Kernel;

namespace Lumora.Domain.Tasks;

/// <summary>Somebody described what to gather, and it passed every rule. Stream <c>collection/{id}</c>.</summary>
/// <param name="CollectionId"><c>collection_…</c>.</param>
/// <param name="ProposedBy">Participant id.</param>
/// <param name="Plan">What to gather, and within which limits.</param>
/// <param name="Recipient">The collection's age recipient: only the curator can read what is encrypted to it.</param>
/// <param name="ProposedAt">When.</param>
[EventContract("collection_proposed")]
public sealed record CollectionProposed(
    string CollectionId, string ProposedBy, CollectionPlan Plan, string Recipient, DateTimeOffset ProposedAt);

/// <summary>A steward let the collection run.</summary>
/// <param name="CollectionId">The collection.</param>
/// <param name="ApprovedBy">The steward's participant id.</param>
/// <param name="ApprovedAt">When.</param>
[EventContract("collection_approved")]
public sealed record CollectionApproved(string CollectionId, string ApprovedBy, DateTimeOffset ApprovedAt);

/// <summary>The collection was cut into tasks; they exist from the same commit on.</summary>
/// <param name="CollectionId">The collection.</param>
/// <param name="Tasks">How many tasks.</param>
/// <param name="Pages">How many URLs in them.</param>
/// <param name="PlannedAt">When.</param>
[EventContract("collection_planned")]
public sealed record CollectionPlanned(string CollectionId, int Tasks, int Pages, DateTimeOffset PlannedAt);

/// <summary>The collection cannot run: its sitemap could not be read or names no allowed page.</summary>
/// <param name="CollectionId">The collection.</param>
/// <param name="Code">Stable reason.</param>
/// <param name="Detail">For people.</param>
/// <param name="FailedAt">When.</param>
[EventContract("collection_failed")]
public sealed record CollectionFailed(string CollectionId, string Code, string Detail, DateTimeOffset FailedAt);

/// <summary>Every task of the collection is accepted or abandoned: a dataset can be built.</summary>
/// <param name="CollectionId">The collection.</param>
/// <param name="TasksAccepted">Tasks with an accepted result.</param>
/// <param name="TasksAbandoned">Tasks given up after their last attempt.</param>
/// <param name="Records">Records in the accepted results.</param>
/// <param name="CompletedAt">When.</param>
[EventContract("collection_completed")]
public sealed record CollectionCompleted(
    string CollectionId, int TasksAccepted, int TasksAbandoned, long Records, DateTimeOffset CompletedAt);

/// <summary>What to gather. Part of <see cref="CollectionProposed"/>: never changes once accepted.</summary>
/// <param name="Title">For people, 3 to 120 characters.</param>
/// <param name="Purpose">What the data is for, 3 to 2,000 characters.</param>
/// <param name="Licence">SPDX id or URL of the source's licence.</param>
/// <param name="AllowedHosts">Host rules (<see cref="HostRule"/>) that every request and redirect must match.</param>
/// <param name="Urls">Pages to fetch; empty when <paramref name="Sitemap"/> is given.</param>
/// <param name="Sitemap">Address of a sitemap.xml, or null.</param>
/// <param name="Rules">CSS selector → field; together the schema of a record.</param>
/// <param name="RecordSelector">Each match is a record of its own; null: a page is one record.</param>
/// <param name="Replication">Nodes per task; 1.</param>
/// <param name="PagesMax">At most so many pages, 1 to 10,000.</param>
/// <param name="PagesPerTask">Batch size, 1 to 100.</param>
/// <param name="PageBytesMax">Body bytes per page, also the cap of what one page can earn.</param>
/// <param name="RecordsPerPageMax">Records per page, 1 to 10,000.</param>
/// <param name="AttemptsMax">Leases per task before it is abandoned, 1 to 20.</param>
/// <param name="Redact">Whether personal data is redacted before encryption.</param>
public sealed record CollectionPlan(
    string Title,
    string Purpose,
    string Licence,
    IReadOnlyList<string> AllowedHosts,
    IReadOnlyList<string> Urls,
    string? Sitemap,
    IReadOnlyList<ExtractionRule> Rules,
    string? RecordSelector,
    int Replication,
    int PagesMax,
    int PagesPerTask,
    int PageBytesMax,
    int RecordsPerPageMax,
    int AttemptsMax,
    bool Redact);
