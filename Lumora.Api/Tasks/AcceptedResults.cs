using System.Runtime.CompilerServices;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Merkle;
using Lumora.Projections.EventStore;
using Npgsql;

namespace Lumora.Api.Tasks;

/// <summary>A result that the curator accepted.</summary>
/// <param name="ResultId"><c>result_…</c>.</param>
/// <param name="CollectionId">Of this collection.</param>
/// <param name="TaskId">Of this task.</param>
/// <param name="ContentRoot">RFC 6962 root over its lines, hex.</param>
/// <param name="Records">Lines.</param>
/// <param name="ReceiptHash">SHA-256 of the receipt's signed bytes, hex: the leaf of a dataset's input root.</param>
/// <param name="CiphertextSha256">Name of the stored age file.</param>
/// <param name="AcceptedAt">When.</param>
public sealed record AcceptedResult(
    string ResultId, string CollectionId, string TaskId, string ContentRoot, int Records, string ReceiptHash,
    string CiphertextSha256, DateTimeOffset AcceptedAt);

/// <summary>
/// The accepted results of collections, in plaintext, for the builder of datasets. They rest encrypted and are
/// decrypted again each time: no plaintext outlives its reader.
/// </summary>
public interface IAcceptedResults
{
    /// <summary>The accepted results of <paramref name="collectionId"/>, ordered by task: the order never changes.</summary>
    Task<IReadOnlyList<AcceptedResult>> ListAsync(string collectionId, CancellationToken ct);

    /// <summary>The records of <paramref name="result"/>: canonical JSON, one a line, without newlines.</summary>
    /// <exception cref="InvalidDataException">At the end: what was read is not what was accepted.</exception>
    IAsyncEnumerable<ReadOnlyMemory<byte>> ReadRecordsAsync(AcceptedResult result, CancellationToken ct);
}

/// <inheritdoc cref="IAcceptedResults"/>
internal sealed class AcceptedResults(
    ShardSessions sessions, ResultFiles files, CollectionKeys keys, ICurve25519 curve) : IAcceptedResults
{
    /// <inheritdoc/>
    public async Task<IReadOnlyList<AcceptedResult>> ListAsync(string collectionId, CancellationToken ct)
    {
        await using var command = sessions.DataSource(ShardRole.Region).CreateCommand(
            "select result_id, task_id, content_root, records, receipt_hash, ciphertext_sha256, accepted_at "
            + "from work_task where collection_id = $1 and phase = 'accepted' order by task_id");
        command.Parameters.Add(new NpgsqlParameter { Value = collectionId });
        var results = new List<AcceptedResult>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            results.Add(new AcceptedResult(
                reader.GetString(0), collectionId, reader.GetString(1), reader.GetString(2), reader.GetInt32(3),
                reader.GetString(4), reader.GetString(5), reader.GetFieldValue<DateTimeOffset>(6)));
        }

        return results;
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadRecordsAsync(
        AcceptedResult result, [EnumeratorCancellation] CancellationToken ct)
    {
        var range = new CompactRange();
        await using var plaintext = files.Scratch();
        await using (var ciphertext = files.Open(result.CiphertextSha256))
            await AgeDecryptor.DecryptAsync(ciphertext, plaintext, [keys.Read(result.CollectionId)], curve, ct);
        plaintext.Position = 0;
        await foreach (var line in NdjsonLines.ReadAsync(plaintext, ct))
        {
            range.Append(MerkleHash.OfLeaf(line.Span));
            yield return line;
        }

        if (range.Root().ToString() != result.ContentRoot)
            throw new InvalidDataException($"{result.ResultId} is not what was accepted: its content root differs.");
    }
}
