using Lumora.Domain.Kernel;

namespace Lumora.Domain.Datasets;

/// <summary>One file of a dataset version, as it is committed to by <see cref="DatasetVersionPublished.DatasetRoot"/>.</summary>
/// <param name="Name">The file's name for the buyer, for example <c>data.parquet</c>; unique in its version.</param>
/// <param name="MediaType">The plaintext's media type.</param>
/// <param name="Bytes">Length of the plaintext in bytes.</param>
/// <param name="Sha256">SHA-256 of the plaintext, lower-case hex: what the buyer compares after decryption.</param>
/// <param name="BodyBytes">Length of the stored age payload in bytes: nonce and sealed chunks, without a header.</param>
/// <param name="BodySha256">SHA-256 of the stored age payload, lower-case hex; also its blob name.</param>
/// <param name="BodyRoot">
/// RFC 6962 root, lower-case hex, over the stored payload cut into pieces of 65,536 bytes (the last may be shorter).
/// </param>
public sealed record DatasetFile(
    string Name, string MediaType, long Bytes, string Sha256, long BodyBytes, string BodySha256, string BodyRoot);

/// <summary>A publisher asked for a version to be built from a collection's accepted results.</summary>
/// <param name="DatasetId">The dataset; its stream is <c>dataset/{id}</c>.</param>
/// <param name="Version">The version to build.</param>
/// <param name="CollectionId">Where the records come from.</param>
/// <param name="PublisherId">The participant who sells and is paid; a random id.</param>
/// <param name="Title">Catalog title.</param>
/// <param name="Description">Catalog text.</param>
/// <param name="Topic">Catalog topic, lower-case words joined by hyphens.</param>
/// <param name="Licence">SPDX licence identifier.</param>
/// <param name="Price">The price that the version is listed at once it is built.</param>
/// <param name="InputRoot">RFC 6962 root, hex, over the accepted results' lineage leaves, in order.</param>
/// <param name="InputCount">How many accepted results go in.</param>
/// <param name="At">When it was asked.</param>
[EventContract("dataset_build_requested")]
public sealed record DatasetBuildRequested(
    string DatasetId, SemVer Version, string CollectionId, string PublisherId, string Title, string Description,
    string Topic, string Licence, Amount Price, string InputRoot, int InputCount, DateTimeOffset At);

/// <summary>A build ended without a version; what was published before stays as it is.</summary>
/// <param name="DatasetId">The dataset.</param>
/// <param name="Version">The version that was not built; it may be asked for again.</param>
/// <param name="Code">Stable code: <c>no_records</c>, <c>input_changed</c>, <c>too_large</c>, <c>build_failed</c>.</param>
/// <param name="Reason">For people.</param>
/// <param name="At">When.</param>
[EventContract("dataset_build_failed")]
public sealed record DatasetBuildFailed(
    string DatasetId, SemVer Version, string Code, string Reason, DateTimeOffset At);

/// <summary>A version stands: its files are stored, encrypted, and its roots are committed here.</summary>
/// <param name="DatasetId">The dataset.</param>
/// <param name="Version">The version.</param>
/// <param name="CollectionId">Where the records come from.</param>
/// <param name="PublisherId">Who sells.</param>
/// <param name="Title">Catalog title.</param>
/// <param name="Description">Catalog text.</param>
/// <param name="Topic">Catalog topic.</param>
/// <param name="Licence">SPDX licence identifier.</param>
/// <param name="Records">Rows after deduplication.</param>
/// <param name="Files">The encrypted files, in the order of the leaves of <paramref name="DatasetRoot"/>.</param>
/// <param name="DatasetRoot">RFC 6962 root, hex, over the canonical JSON of each file entry.</param>
/// <param name="SampleSha256">SHA-256, hex, of the public sample.</param>
/// <param name="MetadataHash">SHA-256, hex, of the canonical Croissant document.</param>
/// <param name="InputRoot">Lineage: RFC 6962 root, hex, over the accepted results that went in, without naming nodes.</param>
/// <param name="At">When it was published.</param>
[EventContract("dataset_version_published")]
public sealed record DatasetVersionPublished(
    string DatasetId, SemVer Version, string CollectionId, string PublisherId, string Title, string Description,
    string Topic, string Licence, long Records, IReadOnlyList<DatasetFile> Files, string DatasetRoot,
    string SampleSha256, string MetadataHash, string InputRoot, DateTimeOffset At);

/// <summary>The dataset's newest version can be bought.</summary>
/// <param name="DatasetId">The dataset.</param>
/// <param name="Price">The price of one purchase.</param>
/// <param name="At">When.</param>
[EventContract("dataset_listed")]
public sealed record DatasetListed(string DatasetId, Amount Price, DateTimeOffset At);

/// <summary>A listed dataset's price changed; quotes of the old price are refused from now on.</summary>
/// <param name="DatasetId">The dataset.</param>
/// <param name="From">The price until now.</param>
/// <param name="To">The price from now on.</param>
/// <param name="At">When.</param>
[EventContract("dataset_price_changed")]
public sealed record DatasetPriceChanged(string DatasetId, Amount From, Amount To, DateTimeOffset At);

/// <summary>The dataset is not for sale any more; earlier buyers keep their downloads.</summary>
/// <param name="DatasetId">The dataset.</param>
/// <param name="At">When.</param>
[EventContract("dataset_unlisted")]
public sealed record DatasetUnlisted(string DatasetId, DateTimeOffset At);
