using System.Security.Cryptography;
using System.Text.Json;
using Lumora.Api.Tasks;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Datasets;
using Lumora.Domain.Kernel;
using Lumora.Domain.Merkle;

namespace Lumora.Api.Datasets;

/// <summary>A file of a package, encrypted, with the key that opens it.</summary>
/// <param name="File">What the version commits to.</param>
/// <param name="FileKey">The age file key, 16 bytes, in clear: whoever stores it wraps it first.</param>
/// <param name="BodyPath">Where the encrypted body lies until it is stored.</param>
internal sealed record PackagedFile(DatasetFile File, byte[] FileKey, string BodyPath);

/// <summary>A version, ready to be stored and published.</summary>
/// <param name="Records">Rows after deduplication.</param>
/// <param name="Files">NDJSON and Parquet, in the order of the root's leaves.</param>
/// <param name="Sample">The public sample: NDJSON, in clear.</param>
/// <param name="Statistics">One for each column.</param>
internal sealed record DatasetPackage(
    long Records, IReadOnlyList<PackagedFile> Files, byte[] Sample, IReadOnlyList<ColumnStatistics> Statistics)
{
    /// <summary>RFC 6962 root over the canonical JSON of each file entry, lower-case hex.</summary>
    public string Root =>
        CompactRange.RootOf(Files.Select(file => (ReadOnlyMemory<byte>)CanonicalJson.Serialize(file.File))).ToString();
}

/// <summary>
/// Makes a version's files out of records: normalised NDJSON, the same rows as Parquet, each encrypted once under a
/// file key and nonce of its own. A build that is tried again makes new keys, so a key never meets two plaintexts.
/// </summary>
/// <param name="random">Keys and nonces.</param>
internal sealed class DatasetPackager(RandomSource random)
{
    /// <summary>Name of the NDJSON file.</summary>
    public const string NdjsonName = "data.ndjson";

    /// <summary>Name of the Parquet file.</summary>
    public const string ParquetName = "data.parquet";

    /// <summary>Name of the public sample.</summary>
    public const string SampleName = "sample.ndjson";

    /// <summary>Media type of NDJSON.</summary>
    public const string NdjsonType = "application/x-ndjson";

    private const string ParquetType = "application/vnd.apache.parquet";

    /// <summary>Packs <paramref name="records"/> into <paramref name="folder"/>, which is empty and the caller's to delete.</summary>
    /// <exception cref="DatasetBuildException"><c>no_records</c>, <c>too_large</c> or <c>input_changed</c>.</exception>
    public async Task<DatasetPackage> PackAsync(
        IReadOnlyList<DatasetColumn> columns, IAsyncEnumerable<ReadOnlyMemory<byte>> records, string folder,
        CancellationToken cancellationToken)
    {
        var ndjson = Path.Combine(folder, NdjsonName);
        var (count, statistics) = await WriteNdjsonAsync(columns, records, ndjson, cancellationToken);
        var sample = await ReadSampleAsync(ndjson, DatasetLimits.SampleRows(count), cancellationToken);

        var parquet = Path.Combine(folder, ParquetName);
        await using (var source = File.OpenRead(ndjson))
        await using (var destination = File.Create(parquet))
        {
            var rows = await ParquetTable.WriteAsync(columns, source, destination, cancellationToken);
            Check.That(rows == count);
        }

        PackagedFile[] files =
        [
            await EncryptAsync(ndjson, NdjsonType, cancellationToken),
            await EncryptAsync(parquet, ParquetType, cancellationToken),
        ];
        return new DatasetPackage(count, files, sample, statistics);
    }

    private static async Task<(long Count, IReadOnlyList<ColumnStatistics> Statistics)> WriteNdjsonAsync(
        IReadOnlyList<DatasetColumn> columns, IAsyncEnumerable<ReadOnlyMemory<byte>> records, string path,
        CancellationToken cancellationToken)
    {
        var normalizer = new RecordNormalizer(columns);
        var counters = columns.Select(column => new ColumnCounter(column)).ToArray();
        var (read, kept) = (0L, 0L);
        await using var output = new BufferedStream(File.Create(path), 256 * 1024);
        await foreach (var record in records.WithCancellation(cancellationToken))
        {
            if (++read > DatasetLimits.RecordsMax || output.Position > DatasetLimits.NdjsonBytesMax)
                throw new DatasetBuildException("too_large", $"A version holds at most {DatasetLimits.RecordsMax} records.");
            if (normalizer.Normalize(record) is not { } line)
                continue;
            var row = JsonElement.Parse(line);
            foreach (var counter in counters)
                counter.Add(row);
            await output.WriteAsync(line, cancellationToken);
            output.WriteByte((byte)'\n');
            kept++;
        }

        if (kept == 0)
            throw new DatasetBuildException("no_records", "The accepted results hold no record.");
        return (kept, counters.Select(counter => counter.Result()).ToArray());
    }

    private static async Task<byte[]> ReadSampleAsync(string ndjson, int rows, CancellationToken cancellationToken)
    {
        using var sample = new MemoryStream();
        await using var source = File.OpenRead(ndjson);
        await foreach (var line in NdjsonLines.ReadAsync(source, cancellationToken))
        {
            sample.Write(line.Span);
            sample.WriteByte((byte)'\n');
            if (--rows == 0)
                break;
        }

        return sample.ToArray();
    }

    private async Task<PackagedFile> EncryptAsync(string path, string mediaType, CancellationToken cancellationToken)
    {
        var (fileKey, nonce) = (new byte[AgeHeader.FileKeyLength], new byte[AgePayload.NonceLength]);
        random(fileKey);
        random(nonce);
        var bodyPath = path + ".body";
        string sha256;
        await using (var source = File.OpenRead(path))
        {
            sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(source, cancellationToken));
            source.Position = 0;
            await using var destination = File.Create(bodyPath);
            await AgePayload.EncryptAsync(fileKey, nonce, source, destination, cancellationToken);
        }

        await using var stored = File.OpenRead(bodyPath);
        var body = await BodyDigest.ReadAsync(stored, cancellationToken);
        var length = new FileInfo(path).Length;
        Check.That(body.Bytes == AgePayload.LengthOf(length));
        var file = new DatasetFile(Path.GetFileName(path), mediaType, length, sha256, body.Bytes, body.Sha256, body.Root);
        return new PackagedFile(file, fileKey, bodyPath);
    }
}

/// <summary>What a stored body is, read anew: for its first description and for every doubt about it later.</summary>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">SHA-256, lower-case hex.</param>
/// <param name="Root">RFC 6962 root over its pieces (<see cref="DatasetPieces"/>), lower-case hex.</param>
internal sealed record BodyDigest(long Bytes, string Sha256, string Root)
{
    /// <summary>Reads <paramref name="body"/> to its end.</summary>
    public static async Task<BodyDigest> ReadAsync(Stream body, CancellationToken cancellationToken)
    {
        using var sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var range = new CompactRange();
        var piece = new byte[DatasetPieces.Bytes];
        var total = 0L;
        for (int length; (length = await body.ReadAtLeastAsync(piece, piece.Length, false, cancellationToken)) > 0; total += length)
        {
            sha256.AppendData(piece, 0, length);
            range.Append(MerkleHash.OfLeaf(piece.AsSpan(0, length)));
        }

        Check.That(range.Size == DatasetPieces.CountOf(total));
        return new BodyDigest(total, Convert.ToHexStringLower(sha256.GetHashAndReset()), range.Root().ToString());
    }
}
