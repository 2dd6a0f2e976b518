using Lumora.Domain.Ledger;
using Npgsql;

namespace Lumora.Projections.Ledger;

/// <summary>
/// Derives every table of the ledger from the journal, by the fold that the writer uses, into the shadow tables of its
/// session. Goes chunk by chunk, each with a working set of its own, so that memory is bounded however long the journal is.
/// An event that does not follow is reported and left out; the replay goes on behind it.
/// </summary>
internal sealed class JournalReplay
{
    /// <summary>Faults after which going on would only produce more of the same.</summary>
    public const int FaultsMax = 100;

    private readonly NpgsqlConnection _connection;
    private readonly string _shard;
    private readonly FindingSink _findings;
    private readonly DerivedAccounts _accounts;
    private readonly DerivedRows _rows;
    private int _faults;

    /// <summary>
    /// A replay that goes on behind <paramref name="start"/>; <paramref name="history"/> takes what no event changes any more
    /// instead of the shadow tables.
    /// </summary>
    public JournalReplay(
        NpgsqlConnection connection, string shard, JournalPosition start, int accountsMax, FindingSink findings,
        DerivedHistory? history = null)
    {
        (_connection, _shard, _findings, Position) = (connection, shard, findings, start);
        _accounts = new DerivedAccounts(connection, accountsMax, start.AccountCount);
        _rows = new DerivedRows(connection, history);
    }

    /// <summary>Where it stands.</summary>
    public JournalPosition Position { get; private set; }

    /// <summary>Whether it gave up at a fault.</summary>
    public bool Stopped => _faults >= FaultsMax;

    /// <summary>Where the journal stands.</summary>
    public static async Task<long> HeadAsync(NpgsqlConnection connection, string shard, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "select coalesce(max(version), 0) from public.mt_events where stream_id = $1", connection);
        command.Parameters.Add(LedgerParameters.Text(LedgerJournal.StreamId(shard)));
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>Replays the events up to <paramref name="to"/> in one chunk and returns which accounts and holds it touched.</summary>
    public async Task<JournalTouched> ReplayAsync(long to, CancellationToken ct)
    {
        // The very first chunk takes versions below 1 along, which nobody gives.
        var above = Position.Version == 0 ? long.MinValue : Position.Version;
        var chunk = await JournalChunk.ReadAsync(_connection, _shard, above, to, ct);
        var touched = new JournalTouched();
        for (var first = 0; first < chunk.Events.Count && !Stopped;)
        {
            var (state, taken, fault) = await FoldAsync(chunk, first, touched, ct);
            first += taken;
            Position = new JournalPosition(state.Version, state.AccountCount, state.At);
            if (fault is null)
                continue;
            var next = chunk.Events[first];
            Report(state, next, fault);
            if (next.Version > Position.Version + 1)
            {
                Position = Position with { Version = next.Version - 1 };
                continue;
            }

            Position = Position with { Version = Math.Max(Position.Version, next.Version) };
            first++;
        }

        if (Position.Version < to && !Stopped)
        {
            // One finding for one gap, wherever it ends.
            var next = await NextAsync(ct) ?? to + 1;
            ReportGap(Position.Version + 1, next - 1);
            Position = Position with { Version = next - 1 };
        }

        return touched;
    }

    /// <summary>Writes what was kept in memory into the shadow tables.</summary>
    public async Task FlushAsync(CancellationToken ct)
    {
        await _accounts.FlushAsync(ct);
        await _rows.FlushAsync(ct);
    }

    // A fold that failed in the middle of an event is made again without it.
    private async Task<(LedgerState State, int Taken, string? Fault)> FoldAsync(
        JournalChunk chunk, int first, JournalTouched touched, CancellationToken ct)
    {
        var before = Position.Version;
        var entries = new List<LedgerEntry>();
        var state = await StateAsync(chunk, ct);
        var (taken, fault) = Fold(state, chunk.Events, first, chunk.Events.Count - first, entries);
        if (fault is not null)
        {
            state = await StateAsync(chunk, ct);
            entries.Clear();
            Fold(state, chunk.Events, first, taken, entries);
        }

        await _rows.WriteAsync(state, before, entries, ct);
        await _accounts.PutAsync(state, ct);
        touched.Add(state, before);
        return (state, taken, fault);
    }

    private static (int Taken, string? Fault) Fold(
        LedgerState state, List<JournalEvent> events, int first, int count, List<LedgerEntry> entries)
    {
        for (var i = 0; i < count; i++)
        {
            try
            {
                entries.AddRange(state.Apply(events[first + i]));
            }
#pragma warning disable CA1031 // Whatever a pure fold throws over an event that nobody decided says that it does not follow.
            catch (Exception fault)
#pragma warning restore CA1031
            {
                return (i, events[first + i].Event is UnreadableEvent unreadable ? unreadable.Why : fault.Message);
            }
        }

        return (count, null);
    }

    private async Task<LedgerState> StateAsync(JournalChunk chunk, CancellationToken ct)
    {
        var state = new LedgerState(
            Position.Version, Position.AccountCount, Position.At, keepMovements: chunk.Movements.Count > 0);
        await _accounts.LoadAsync(chunk.Accounts, state, ct);
        if (chunk.Holds.Count > 0)
            await LoadHoldsAsync(chunk.Holds, state, ct);
        if (chunk.Movements.Where(version => version <= Position.Version).ToList() is { Count: > 0 } movements)
            await LoadMovementsAsync(movements, state, ct);
        return state;
    }

    private async Task LoadHoldsAsync(IReadOnlyCollection<long> numbers, LedgerState state, CancellationToken ct)
    {
        var rows = new List<(long Account, LedgerHold Hold)>();
        await using (var command = new NpgsqlCommand(
            """
            select h.* from unnest($1) as k(number) cross join lateral (
              select number, maker, '', '', kind, reference_type, reference_id, amount, left_over, captured, deadline, status,
                version, account
              from ledger_hold where number = k.number offset 0) h
            """,
            _connection))
        {
            command.Parameters.Add(LedgerParameters.Longs(numbers, number => number));
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
                rows.Add((reader.GetInt64(13), LedgerRows.Hold(reader)));
        }

        var keys = await _accounts.KeysAsync([.. rows.Select(row => row.Account).Distinct()], ct);
        foreach (var (account, hold) in rows)
            state.Load(hold with { Account = keys[account] });
        await _accounts.LoadAsync([.. rows.Select(row => keys[row.Account])], state, ct);
    }

    private async Task LoadMovementsAsync(IReadOnlyCollection<long> versions, LedgerState state, CancellationToken ct)
    {
        var load = new LedgerLoad(_shard, new LedgerNeeds([], [], [], versions, []));
        await using var batch = new NpgsqlBatch(_connection);
        load.AddTo(batch, write: false);
        await using var reader = await batch.ExecuteReaderAsync(ct);
        await load.ReadAsync(reader, state, ct);
    }

    private async Task<long?> NextAsync(CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "select min(version) from public.mt_events where stream_id = $1 and version > $2", _connection);
        command.Parameters.Add(LedgerParameters.Text(LedgerJournal.StreamId(_shard)));
        command.Parameters.Add(LedgerParameters.Long(Position.Version));
        return await command.ExecuteScalarAsync(ct) as long?;
    }

    private void Report(LedgerState state, JournalEvent next, string fault)
    {
        _faults++;
        if (next.Version > state.Version + 1)
            ReportGap(state.Version + 1, next.Version - 1);
        else if (next.Version <= state.Version)
            _findings.Add(LedgerFindingCodes.JournalDuplicate, $"{next.Version}", "once", next.Event.GetType().Name);
        else
        {
            var (code, expected, actual) = JournalFaults.Diagnose(state, next, fault);
            _findings.Add(code, $"{next.Version}", expected, actual);
        }

        if (Stopped)
            _findings.Add(LedgerFindingCodes.JournalEvent, $"{next.Version}", "a journal that can be followed", $"{_faults} faults; the replay ends here");
    }

    private void ReportGap(long first, long last) => _findings.Add(
        LedgerFindingCodes.JournalGap, first == last ? $"{first}" : $"{first}-{last}", "every version once", "");
}

/// <summary>Where a replay stands.</summary>
/// <param name="Version">The last event that it has seen.</param>
/// <param name="AccountCount">Accounts opened up to there.</param>
/// <param name="At">The ledger's time there.</param>
internal sealed record JournalPosition(long Version, long AccountCount, DateTimeOffset At)
{
    /// <summary>Before the first event.</summary>
    public static JournalPosition Start { get; } = new(0, 0, DateTimeOffset.UnixEpoch);
}

/// <summary>Numbers of what a chunk touched.</summary>
internal sealed class JournalTouched
{
    public HashSet<long> Accounts { get; } = [];

    public HashSet<long> Holds { get; } = [];

    /// <summary>Journal versions of transactions that were reversed.</summary>
    public HashSet<long> Movements { get; } = [];

    public void Add(LedgerState state, long before)
    {
        foreach (var key in state.Touched.Keys)
        {
            if (state.Account(key) is { } account)
                Accounts.Add(account.Number);
        }

        Movements.UnionWith(state.Movements.Where(movement => movement.Reversed.Any(amount => amount > 0)).Select(movement => movement.Version));
        Holds.UnionWith(state.Holds.Where(hold => hold.Version > before).Select(hold => hold.Number));
    }
}
