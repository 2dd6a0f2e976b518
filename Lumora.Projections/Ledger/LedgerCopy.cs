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
            $"copy ledger_entry ({LedgerSets.EntryColumns}) from stdin (format binary)", ct);
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
        NpgsqlConnection connection, IReadOnlyCollection<RecordedOutcome> outcomes, CancellationToken ct)
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

    /// <summary>Adds new <paramref name="holds"/>; <paramref name="state"/> knows their accounts.</summary>
    public static async Task HoldsAsync(
        NpgsqlConnection connection, IReadOnlyList<LedgerHold> holds, LedgerState state, CancellationToken ct)
    {
        await using var copy = await connection.BeginBinaryImportAsync(
            $"copy ledger_hold ({LedgerSets.HoldColumns}) from stdin (format binary)", ct);
        foreach (var hold in holds)
        {
            await copy.StartRowAsync(ct);
            await copy.WriteAsync(hold.Number, NpgsqlDbType.Bigint, ct);
            await copy.WriteAsync(hold.Maker, NpgsqlDbType.Text, ct);
            await copy.WriteAsync(state.Account(hold.Account)!.Number, NpgsqlDbType.Bigint, ct);
            await copy.WriteAsync(hold.Kind, NpgsqlDbType.Text, ct);
            await TextAsync(copy, hold.Reference?.Type, ct);
            await TextAsync(copy, hold.Reference?.Id, ct);
            await copy.WriteAsync(hold.Amount, NpgsqlDbType.Bigint, ct);
            await copy.WriteAsync(hold.Left, NpgsqlDbType.Bigint, ct);
            await copy.WriteAsync(hold.Captured, NpgsqlDbType.Bigint, ct);
            await copy.WriteAsync(hold.Deadline, NpgsqlDbType.TimestampTz, ct);
            await copy.WriteAsync((short)hold.Status, NpgsqlDbType.Smallint, ct);
            await copy.WriteAsync(hold.Version, NpgsqlDbType.Bigint, ct);
        }

        await copy.CompleteAsync(ct);
    }

    /// <summary>Adds the last journal versions of <paramref name="times"/>.</summary>
    public static async Task TimesAsync(
        NpgsqlConnection connection, IReadOnlyList<(DateTimeOffset At, long Version)> times, CancellationToken ct)
    {
        await using var copy = await connection.BeginBinaryImportAsync(
            "copy ledger_time (at, journal_version) from stdin (format binary)", ct);
        foreach (var (at, version) in times)
        {
            await copy.StartRowAsync(ct);
            await copy.WriteAsync(at, NpgsqlDbType.TimestampTz, ct);
            await copy.WriteAsync(version, NpgsqlDbType.Bigint, ct);
        }

        await copy.CompleteAsync(ct);
    }

    private static Task TextAsync(NpgsqlBinaryImporter copy, string? text, CancellationToken ct) =>
        text is null ? copy.WriteNullAsync(ct) : copy.WriteAsync(text, NpgsqlDbType.Text, ct);
}
