using Lumora.Domain.Ledger;
using Npgsql;

namespace Lumora.Projections.Ledger;

/// <summary>Writes what a replay derives, besides accounts, into the shadow tables: by COPY what is new, set-wise what changes.</summary>
/// <param name="connection">Its search path finds the shadow tables.</param>
/// <param name="history">Takes the rows that no event changes any more; null = they are written, too.</param>
internal sealed class DerivedRows(NpgsqlConnection connection, DerivedHistory? history)
{
    private readonly Dictionary<(string Prefix, string Asset), LedgerRollUp> _rollUps = [];
    private (DateTimeOffset At, long Version)? _lastTime;

    /// <summary>Writes what the events after <paramref name="before"/> made, as <paramref name="state"/> has it.</summary>
    public async Task WriteAsync(
        LedgerState state, long before, IReadOnlyList<LedgerEntry> entries, CancellationToken ct)
    {
        if (state.Version == before)
            return;
        var made = history ?? new DerivedHistory();
        made.Outcomes.AddRange(state.Outcomes);
        made.Entries.AddRange(entries);
        AddEndedTimes(state, made);
        if (history is null)
            await made.WriteAsync(connection, ct);
        await WriteHoldsAsync(state, before, ct);
        if (ReversedPosting.Of(state) is { Count: > 0 } reversed)
            await RunAsync(LedgerSets.Reversed(reversed), ct);
        foreach (var sum in LedgerRollUps.ChangesOf(state))
            AddRollUp(sum);
    }

    /// <summary>Writes what was kept back: the running sums and the last time, which the next event may still share.</summary>
    public async Task FlushAsync(CancellationToken ct)
    {
        if (_rollUps.Count > 0)
            await RunAsync(LedgerSets.RollUps(_rollUps.Values), ct);
        _rollUps.Clear();
        if (_lastTime is { } last)
        {
            if (history is null)
                await RunAsync(LedgerSets.TimeOf(last.At, last.Version), ct);
            else
                history.Moments.Add(last);
        }

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

    // New ones by COPY: a journal may have millions.
    private async Task WriteHoldsAsync(LedgerState state, long before, CancellationToken ct)
    {
        var opened = state.Holds.Where(hold => hold.Number > before).ToList();
        var changed = state.Holds.Where(hold => hold.Number <= before && hold.Version > before).ToList();
        if (opened.Count > 0)
            await LedgerCopy.HoldsAsync(connection, opened, state, ct);
        if (changed.Count > 0)
            await RunAsync(LedgerSets.Holds(changed, state), ct);
    }

    // Outcomes are one for each event, in their order.
    private void AddEndedTimes(LedgerState state, DerivedHistory made)
    {
        foreach (var outcome in state.Outcomes)
        {
            if (_lastTime is { } last && last.At != outcome.At)
                made.Moments.Add(last);
            _lastTime = (outcome.At, outcome.JournalVersion);
        }
    }

    private Task<int> RunAsync(LedgerSet set, CancellationToken ct) =>
        LedgerShadow.ExecuteAsync(connection, set.Sql, ct, set.Parameters);
}
