using System.Text.Json;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Npgsql;

namespace Lumora.Projections.Ledger;

/// <summary>What requests need from the tables because the cache does not have it.</summary>
/// <param name="Accounts">That a decision can look at.</param>
/// <param name="Outcomes">Ids of the requests.</param>
/// <param name="Holds">Numbers of holds; their accounts come with them.</param>
/// <param name="Movements">Journal versions of transactions to be reversed.</param>
/// <param name="Streams">Ids of companion streams, sorted.</param>
internal sealed record LedgerNeeds(
    IReadOnlyCollection<AccountKey> Accounts,
    IReadOnlyCollection<Guid> Outcomes,
    IReadOnlyCollection<long> Holds,
    IReadOnlyCollection<long> Movements,
    IReadOnlyCollection<string> Streams);

/// <summary>Loads a working set in one round trip.</summary>
internal sealed class LedgerLoad(string shard, LedgerNeeds needs)
{
    // Locked by somebody else means changed by somebody else: such a stream counts as absent, and the writer never
    // waits for a lock but the fence.
    private const string LockedStreamsSql =
        "select id, version from mt_streams where id = any($1) order by id for update skip locked";

    private const string StreamsSql = "select id, version from mt_streams where id = any($1)";

    private const string AccountsSql =
        """
        select a.number, a.code, a.asset, a.balance, a.held, a.floor, a.status, a.version
        from unnest($1, $2) as k(code, asset) join ledger_account a on a.code = k.code and a.asset = k.asset
        """;

    private const string OutcomesSql =
        $"select {LedgerRows.OutcomeColumns} from ledger_outcome where id = any($1)";

    private const string HoldsSql =
        $"""
        select {LedgerRows.HoldColumns} from ledger_hold h join ledger_account a on a.number = h.account
        where h.number = any($1)
        """;

    private const string HoldAccountsSql =
        $"""
        select {LedgerRows.AccountColumns} from ledger_account
        where number in (select account from ledger_hold where number = any($1))
        """;

    private const string MovementsSql =
        "select version, type, data from mt_events where stream_id = $2 and version = any($1)";

    private const string ReversalsSql =
        "select journal_version, posting, amount from ledger_reversal where journal_version = any($1)";

    /// <summary>Adds the queries to <paramref name="batch"/>; companion streams are locked when it is to be written.</summary>
    public void AddTo(NpgsqlBatch batch, bool write)
    {
        if (needs.Accounts.Count > 0)
            AddAccounts(batch, needs.Accounts);
        if (needs.Outcomes.Count > 0)
            batch.Add(OutcomesSql, LedgerParameters.Uuids(needs.Outcomes, id => id));
        if (needs.Holds.Count > 0)
        {
            batch.Add(HoldsSql, LedgerParameters.Longs(needs.Holds, number => number));
            batch.Add(HoldAccountsSql, LedgerParameters.Longs(needs.Holds, number => number));
        }

        if (needs.Movements.Count > 0)
        {
            batch.Add(
                MovementsSql, LedgerParameters.Longs(needs.Movements, version => version),
                LedgerParameters.Text(LedgerJournal.StreamId(shard)));
            batch.Add(ReversalsSql, LedgerParameters.Longs(needs.Movements, version => version));
        }

        if (needs.Streams.Count > 0)
            batch.Add(write ? LockedStreamsSql : StreamsSql, LedgerParameters.Texts(needs.Streams, id => id));
    }

    /// <summary>Takes what <see cref="AddTo"/> asked for; <paramref name="reader"/> stands at its first result.</summary>
    public async Task ReadAsync(NpgsqlDataReader reader, LedgerState state, CancellationToken ct)
    {
        if (needs.Accounts.Count > 0)
            await EachAsync(reader, row => state.Load(LedgerRows.Account(row)), ct);
        if (needs.Outcomes.Count > 0)
            await EachAsync(reader, row => state.Load(LedgerRows.Outcome(row)), ct);
        if (needs.Holds.Count > 0)
        {
            await EachAsync(reader, row => state.Load(LedgerRows.Hold(row)), ct);
            await EachAsync(reader, row => state.Load(LedgerRows.Account(row)), ct);
        }

        if (needs.Movements.Count > 0)
        {
            await EachAsync(reader, row => LoadMovement(state, row), ct);
            await EachAsync(reader, row => state.Load(WithReversed(state, row)), ct);
        }

        if (needs.Streams.Count > 0)
            await EachAsync(reader, row => state.LoadStream(row.GetString(0), row.GetInt64(1)), ct);
    }

    /// <summary>Reads <paramref name="accounts"/> into <paramref name="state"/>, in a round trip of its own.</summary>
    public static async Task ReadAccountsAsync(
        NpgsqlConnection connection, NpgsqlTransaction? transaction, IReadOnlyCollection<AccountKey> accounts,
        LedgerState state, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection, transaction);
        AddAccounts(batch, accounts);
        await using var reader = await batch.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            state.Load(LedgerRows.Account(reader));
    }

    private static void AddAccounts(NpgsqlBatch batch, IReadOnlyCollection<AccountKey> keys) => batch.Add(
        AccountsSql, LedgerParameters.Texts(keys, key => key.Code), LedgerParameters.Texts(keys, key => key.Asset));

    private static void LoadMovement(LedgerState state, NpgsqlDataReader row)
    {
        var @event = JournalJson.Read(row.GetString(1), row.GetString(2));
        if (@event is not null && LedgerMovement.Of(row.GetInt64(0), @event) is { } movement)
            state.Load(movement);
    }

    private static LedgerMovement WithReversed(LedgerState state, NpgsqlDataReader row) =>
        state.Movement(row.GetInt64(0))!.With([new ReversalPart(row.GetInt16(1), new Amount(row.GetInt64(2)))]);

    private static async Task EachAsync(NpgsqlDataReader reader, Action<NpgsqlDataReader> take, CancellationToken ct)
    {
        while (await reader.ReadAsync(ct))
            take(reader);
        await reader.NextResultAsync(ct);
    }
}

/// <summary>The journal's events as they are stored.</summary>
internal static class JournalJson
{
    private static readonly Dictionary<string, Type> Types = EventCatalog.All
        .Where(pair => typeof(ILedgerEvent).IsAssignableFrom(pair.Type))
        .ToDictionary(pair => pair.Name, pair => pair.Type, StringComparer.Ordinal);

    private static readonly Dictionary<Type, string> Names = Types.ToDictionary(pair => pair.Value, pair => pair.Key);

    /// <summary>The contract's name of <paramref name="event"/>.</summary>
    public static string NameOf(object @event) => Names[@event.GetType()];

    /// <summary>The stored form of <paramref name="event"/>.</summary>
    public static string Write(object @event) => JsonSerializer.Serialize(@event, @event.GetType(), WireJson.Events);

    /// <summary>The event of contract <paramref name="type"/>, or null for one that is no ledger's.</summary>
    public static object? Read(string type, string data) =>
        Types.TryGetValue(type, out var known) ? JsonSerializer.Deserialize(data, known, WireJson.Events) : null;
}
