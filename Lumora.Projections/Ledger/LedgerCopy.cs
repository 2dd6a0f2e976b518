using Lumora.Domain.Ledger;
using Npgsql;
using NpgsqlTypes;

namespace Lumora.Projections.Ledger;

/// <summary>Writes many rows by COPY: half the processor time of INSERT and, logged page by page, less WAL.</summary>
internal static class LedgerCopy
{
    /// <summary>Adds <paramref name="entries"/>.</summary>
    public static async Task EntriesAsync(NpgsqlConnection connection, IReadOnlyList<LedgerEntry> entries, CancellationToken ct)
    {
        await using var copy = await connection.BeginBinaryImportAsync(
            "copy ledger_entry (account, journal_version, line, amount, balance) from stdin (format binary)", ct);
        foreach (var entry in entries)
        {
            await copy.StartRowAsync(ct);
            await copy.WriteAsync(entry.Account, NpgsqlDbType.Bigint, ct);
            await copy.WriteAsync(entry.JournalVersion, NpgsqlDbType.Bigint, ct);
            await copy.WriteAsync(entry.Line, NpgsqlDbType.Smallint, ct);
            await copy.WriteAsync(entry.Amount, NpgsqlDbType.Bigint, ct);
            await copy.WriteAsync(entry.Balance, NpgsqlDbType.Bigint, ct);
        }

        await copy.CompleteAsync(ct);
    }

    /// <summary>Adds <paramref name="outcomes"/>.</summary>
    public static async Task OutcomesAsync(
        NpgsqlConnection connection, IReadOnlyList<RecordedOutcome> outcomes, CancellationToken ct)
    {
        await using var copy = await connection.BeginBinaryImportAsync(
            $"copy ledger_outcome ({LedgerRows.OutcomeColumns}) from stdin (format binary)", ct);
        foreach (var outcome in outcomes)
        {
            await copy.StartRowAsync(ct);
            await copy.WriteAsync(outcome.Id, NpgsqlDbType.Uuid, ct);
            await copy.WriteAsync(outcome.Digest.Bytes, NpgsqlDbType.Bytea, ct);
            await copy.WriteAsync(outcome.JournalVersion, NpgsqlDbType.Bigint, ct);
            await copy.WriteAsync(outcome.At, NpgsqlDbType.TimestampTz, ct);
            await TextAsync(copy, outcome.Code, ct);
            await TextAsync(copy, outcome.Field, ct);
            await TextAsync(copy, outcome.Label?.Kind, ct);
            await TextAsync(copy, outcome.Label?.Reference?.Type, ct);
            await TextAsync(copy, outcome.Label?.Reference?.Id, ct);
        }

        await copy.CompleteAsync(ct);
    }

    private static Task TextAsync(NpgsqlBinaryImporter copy, string? text, CancellationToken ct) =>
        text is null ? copy.WriteNullAsync(ct) : copy.WriteAsync(text, NpgsqlDbType.Text, ct);
}
