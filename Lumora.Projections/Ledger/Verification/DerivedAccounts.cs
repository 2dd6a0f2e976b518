using Lumora.Domain.Ledger;
using Npgsql;
using NpgsqlTypes;
using static Lumora.Projections.Ledger.LedgerParameters;

namespace Lumora.Projections.Ledger;

/// <summary>
/// The accounts of a replay: in memory up to <paramref name="capacity"/>, then written to the shadow table and forgotten,
/// so that memory does not grow with the number of accounts.
/// </summary>
/// <param name="connection">Its search path finds the shadow table.</param>
/// <param name="capacity">Accounts in memory between two chunks.</param>
/// <param name="stored">Accounts that the shadow table holds already: those with numbers up to this.</param>
internal sealed class DerivedAccounts(NpgsqlConnection connection, int capacity, long stored)
{
    private const int UpdateRowsMax = 50_000;

    // Row by row through the keys: for many at once the planner would read the whole table.
    private const string ByKeySql =
        $"""
        select a.* from unnest($1, $2) as k(code, asset) cross join lateral (
          select {LedgerRows.AccountColumns} from ledger_account where code = k.code and asset = k.asset offset 0) a
        """;

    private const string ByNumberSql =
        $"""
        select a.* from unnest($1) as k(number) cross join lateral (
          select {LedgerRows.AccountColumns} from ledger_account where number = k.number offset 0) a
        """;

    private const string UpdateSql =
        """
        update ledger_account a
        set balance = v.balance, held = v.held, floor = v.floor, status = v.status, version = v.version
        from unnest($1, $2, $3, $4, $5, $6) as v(number, balance, held, floor, status, version)
        where a.number = v.number
        """;

    private readonly Dictionary<AccountKey, LedgerAccount> _accounts = [];
    private readonly Dictionary<long, AccountKey> _keys = [];
    // Until something is written away, what is not in memory does not exist.
    private bool _all = stored == 0;
    private long _stored = stored;
    private readonly HashSet<long> _changed = [];

    /// <summary>Loads those of <paramref name="keys"/> that exist into <paramref name="state"/>.</summary>
    public async Task LoadAsync(IReadOnlyCollection<AccountKey> keys, LedgerState state, CancellationToken ct)
    {
        if (!_all && keys.Where(key => !_accounts.ContainsKey(key)).ToList() is { Count: > 0 } missing)
            await ReadAsync(ByKeySql, ct, Texts(missing, key => key.Code), Texts(missing, key => key.Asset));
        foreach (var key in keys)
        {
            if (_accounts.TryGetValue(key, out var account))
                state.Load(account);
        }
    }

    /// <summary>The keys of accounts by number.</summary>
    public async Task<IReadOnlyDictionary<long, AccountKey>> KeysAsync(IReadOnlyCollection<long> numbers, CancellationToken ct)
    {
        if (!_all && numbers.Where(number => !_keys.ContainsKey(number)).ToList() is { Count: > 0 } missing)
            await ReadAsync(ByNumberSql, ct, Longs(missing, number => number));
        return _keys;
    }

    /// <summary>Takes over what a chunk changed.</summary>
    public async Task PutAsync(LedgerState state, CancellationToken ct)
    {
        foreach (var key in state.Touched.Keys)
        {
            if (state.Account(key) is not { } account)
                continue;
            Keep(account);
            if (account.Number <= _stored)
                _changed.Add(account.Number);
        }

        if (_accounts.Count <= capacity)
            return;
        await FlushAsync(ct);
        _accounts.Clear();
        _keys.Clear();
        _all = false;
    }

    /// <summary>Writes everything into the shadow table.</summary>
    public async Task FlushAsync(CancellationToken ct)
    {
        var opened = _accounts.Values.Where(account => account.Number > _stored).OrderBy(account => account.Number).ToList();
        if (opened.Count > 0)
        {
            await InsertAsync(opened, ct);
            _stored = opened[^1].Number;
        }

        foreach (var rows in _changed.Order().Select(number => _accounts[_keys[number]]).Chunk(UpdateRowsMax))
            await LedgerShadow.ExecuteAsync(
                connection, UpdateSql, ct,
                Longs(rows, a => a.Number), Longs(rows, a => a.Balance), Longs(rows, a => a.Held),
                LedgerParameters.Array(rows, a => a.Floor, NpgsqlDbType.Bigint), Shorts(rows, a => (short)a.Status),
                Longs(rows, a => a.Version));
        _changed.Clear();
    }

    private async Task InsertAsync(List<LedgerAccount> rows, CancellationToken ct)
    {
        await using var copy = await connection.BeginBinaryImportAsync(
            $"copy ledger_account ({LedgerRows.AccountColumns}) from stdin (format binary)", ct);
        foreach (var account in rows)
        {
            await copy.StartRowAsync(ct);
            await copy.WriteAsync(account.Number, NpgsqlDbType.Bigint, ct);
            await copy.WriteAsync(account.Key.Code, NpgsqlDbType.Text, ct);
            await copy.WriteAsync(account.Key.Asset, NpgsqlDbType.Text, ct);
            await copy.WriteAsync(account.Balance, NpgsqlDbType.Bigint, ct);
            await copy.WriteAsync(account.Held, NpgsqlDbType.Bigint, ct);
            if (account.Floor is { } floor)
                await copy.WriteAsync(floor, NpgsqlDbType.Bigint, ct);
            else
                await copy.WriteNullAsync(ct);
            await copy.WriteAsync((short)account.Status, NpgsqlDbType.Smallint, ct);
            await copy.WriteAsync(account.Version, NpgsqlDbType.Bigint, ct);
        }

        await copy.CompleteAsync(ct);
    }

    private async Task ReadAsync(string sql, CancellationToken ct, params NpgsqlParameter[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = LedgerShadow.SecondsMax };
        command.Parameters.AddRange(parameters);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            Keep(LedgerRows.Account(reader));
    }

    private void Keep(LedgerAccount account)
    {
        _accounts[account.Key] = account;
        _keys[account.Number] = account.Key;
    }
}
