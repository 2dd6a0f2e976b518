using System.Globalization;
using Lumora.Domain.Ledger;
using Npgsql;
using NpgsqlTypes;
using static Lumora.Projections.Ledger.LedgerParameters;

namespace Lumora.Projections.Ledger;

/// <summary>Writes what a replay derives, besides accounts, into the shadow tables: by COPY what is new, set-wise what changes.</summary>
internal sealed class DerivedRows(NpgsqlConnection connection)
{
    private const string HoldColumns =
        "number, maker, account, kind, reference_type, reference_id, amount, left_over, captured, deadline, status, version";

    private const string UpdateHoldsSql =
        """
        update ledger_hold h set left_over = v.left_over, captured = v.captured, status = v.status, version = v.version
        from unnest($1, $2, $3, $4, $5) as v(number, left_over, captured, status, version) where h.number = v.number
        """;

    private const string PutReversedSql =
        """
        insert into ledger_reversal (journal_version, posting, amount) select * from unnest($1, $2, $3)
        on conflict (journal_version, posting) do update set amount = excluded.amount
        """;

    private const string AddRollUpsSql =
        """
        insert into ledger_roll_up as r (prefix, asset, accounts, balance, held)
        select prefix, asset, accounts, balance::numeric, held::numeric
        from unnest($1, $2, $3, $4, $5) as v(prefix, asset, accounts, balance, held)
        on conflict (prefix, asset) do update set accounts = r.accounts + excluded.accounts,
          balance = r.balance + excluded.balance, held = r.held + excluded.held
        """;

    private const string PutTimeSql =
        """
        insert into ledger_time (at, journal_version) values ($1, $2)
        on conflict (at) do update set journal_version = excluded.journal_version
        """;

    private readonly Dictionary<(string Prefix, string Asset), LedgerRollUp> _rollUps = [];
    private (DateTimeOffset At, long Version)? _lastTime;

    /// <summary>Writes what the events after <paramref name="before"/> made, as <paramref name="state"/> has it.</summary>
    public async Task WriteAsync(
        LedgerState state, long before, IReadOnlyList<LedgerEntry> entries, CancellationToken ct)
    {
        if (state.Version == before)
            return;
        await CopyOutcomesAsync(state, ct);
        await CopyEntriesAsync(entries, ct);
        await CopyHoldsAsync([.. state.Holds.Where(hold => hold.Number > before)], state, ct);
        var changed = state.Holds.Where(hold => hold.Number <= before && hold.Version > before).ToList();
        if (changed.Count > 0)
            await LedgerShadow.ExecuteAsync(
                connection, UpdateHoldsSql, ct,
                Longs(changed, h => h.Number), Longs(changed, h => h.Left), Longs(changed, h => h.Captured),
                Shorts(changed, h => (short)h.Status), Longs(changed, h => h.Version));
        await PutReversedAsync(state, ct);
        await CopyTimesAsync(state, ct);
        foreach (var sum in LedgerRollUps.ChangesOf(state))
            AddRollUp(sum);
    }

    /// <summary>Writes what was kept back: the running sums and the last time, which the next event may still share.</summary>
    public async Task FlushAsync(CancellationToken ct)
    {
        if (_rollUps.Count > 0)
        {
            var sums = _rollUps.Values;
            await LedgerShadow.ExecuteAsync(
                connection, AddRollUpsSql, ct,
                Texts(sums, s => s.Prefix), Texts(sums, s => s.Asset), Longs(sums, s => s.Accounts),
                Texts(sums, s => s.Balance.ToString(CultureInfo.InvariantCulture)),
                Texts(sums, s => s.Held.ToString(CultureInfo.InvariantCulture)));
            _rollUps.Clear();
        }

        if (_lastTime is { } last)
            await LedgerShadow.ExecuteAsync(connection, PutTimeSql, ct, Time(last.At), Long(last.Version));
        _lastTime = null;
    }

    private void AddRollUp(LedgerRollUp change)
    {
        var key = (change.Prefix, change.Asset);
        _rollUps[key] = _rollUps.TryGetValue(key, out var sum)
            ? sum with
            {
                Accounts = sum.Accounts + change.Accounts,
                Balance = sum.Balance + change.Balance,
                Held = sum.Held + change.Held,
            }
            : change;
    }

    private async Task PutReversedAsync(LedgerState state, CancellationToken ct)
    {
        var rows = state.Movements
            .SelectMany(movement => movement.Reversed.Select((amount, posting) => (movement.Version, Posting: (short)posting, Amount: amount)))
            .Where(row => row.Amount > 0).ToList();
        if (rows.Count > 0)
            await LedgerShadow.ExecuteAsync(
                connection, PutReversedSql, ct, Longs(rows, r => r.Version), Shorts(rows, r => r.Posting), Longs(rows, r => r.Amount));
    }

    private async Task CopyOutcomesAsync(LedgerState state, CancellationToken ct)
    {
        await using var copy = await connection.BeginBinaryImportAsync(
            $"copy ledger_outcome ({LedgerRows.OutcomeColumns}) from stdin (format binary)", ct);
        foreach (var outcome in state.Outcomes)
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

    private async Task CopyEntriesAsync(IReadOnlyList<LedgerEntry> entries, CancellationToken ct)
    {
        if (entries.Count == 0)
            return;
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

    private async Task CopyHoldsAsync(List<LedgerHold> holds, LedgerState state, CancellationToken ct)
    {
        if (holds.Count == 0)
            return;
        await using var copy = await connection.BeginBinaryImportAsync(
            $"copy ledger_hold ({HoldColumns}) from stdin (format binary)", ct);
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

    // Outcomes are one for each event, in their order.
    private async Task CopyTimesAsync(LedgerState state, CancellationToken ct)
    {
        var ended = new List<(DateTimeOffset At, long Version)>();
        foreach (var outcome in state.Outcomes)
        {
            if (_lastTime is { } last && last.At != outcome.At)
                ended.Add(last);
            _lastTime = (outcome.At, outcome.JournalVersion);
        }

        if (ended.Count == 0)
            return;
        await using var copy = await connection.BeginBinaryImportAsync(
            "copy ledger_time (at, journal_version) from stdin (format binary)", ct);
        foreach (var (at, version) in ended)
        {
            await copy.StartRowAsync(ct);
            await copy.WriteAsync(at, NpgsqlDbType.TimestampTz, ct);
            await copy.WriteAsync(version, NpgsqlDbType.Bigint, ct);
        }

        await copy.CompleteAsync(ct);
    }

    private static Task TextAsync(NpgsqlBinaryImporter copy, string? text, CancellationToken ct) => text is null
        ? copy.WriteNullAsync(ct)
        : copy.WriteAsync(text, NpgsqlDbType.Text, ct);
}
