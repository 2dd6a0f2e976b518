using Npgsql;

namespace Lumora.Projections.Ledger;

/// <summary>What a rebuild did.</summary>
/// <param name="Events">Events in the journal.</param>
/// <param name="Swapped">Whether the new tables took the place of the old ones; false when the journal itself is at fault.</param>
public sealed record LedgerRebuilt(long Events, bool Swapped);

/// <summary>A rebuild could not be made; nothing was changed.</summary>
public sealed class LedgerRebuildException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// Derives all tables of a ledger from its journal into new tables beside them and swaps those in. The ledger works until
/// the swap, which takes as long as the last few events: it holds the fence's row and moves its version, so that no writer
/// is in the middle of anything and every writer drops its cache. The same journal gives the same bytes.
/// </summary>
public sealed class LedgerRebuild(NpgsqlDataSource source, string shard, LedgerInspectionOptions? options = null)
{
    private const int AttemptsMax = 10;
    private const string OneAtATimeSql = "select pg_try_advisory_lock(hashtextextended('lumora/ledger_rebuild', 0))";

    // A fence that was lost starts far above every version that a writer may remember.
    private const string MoveFenceSql =
        """
        insert into public.ledger_fence as f (shard, version, journal_version, account_count, at)
        values ($1, (extract(epoch from clock_timestamp()) * 1000000)::bigint, 0, 0, 'epoch')
        on conflict (shard) do update set version = f.version + 1
        """;

    private const string PutFenceSql =
        "update public.ledger_fence set journal_version = $2, account_count = $3, at = $4 where shard = $1";

    // A table that somebody else owns stays theirs, and who could read it still can.
    private const string RightsSql =
        """
        select format('alter table ledger_rebuild.%I owner to %s', c.relname, c.relowner::regrole)
        from pg_class c where c.oid = any($1::regclass[])
        union all
        select format('grant %s on ledger_rebuild.%I to %s%s', a.privilege_type, c.relname,
          case a.grantee when 0 then 'public' else a.grantee::regrole::text end,
          case when a.is_grantable then ' with grant option' else '' end)
        from pg_class c cross join aclexplode(c.relacl) a where c.oid = any($1::regclass[]) and a.grantee <> c.relowner
        """;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);
    private readonly LedgerInspectionOptions _options = options ?? new LedgerInspectionOptions();

    /// <summary>Rebuilds. When the journal has a fault, it is reported and nothing is changed.</summary>
    /// <param name="found">Hears what is wrong with the journal.</param>
    /// <param name="progress">Hears how far the replay is.</param>
    /// <param name="ct">Gives up; until the swap nothing has changed.</param>
    /// <exception cref="LedgerRebuildException">Another rebuild runs, or readers did not let go of the tables.</exception>
    public async Task<LedgerRebuilt> RunAsync(
        Action<LedgerFinding> found, Action<LedgerProgress>? progress, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        try
        {
            if (!await TakeTurnAsync(connection, ct))
                throw new LedgerRebuildException("Another rebuild of this database is under way.");
            await LedgerShadow.CreateForRebuildAsync(connection, ct);
            var findings = new FindingSink(found, _options.FindingsMax);
            var replay = new JournalReplay(connection, shard, JournalPosition.Start, _options.AccountsInMemoryMax, findings);
            var run = new JournalRun(connection, shard, replay, _options, progress);
            try
            {
                await run.ReplayMostAsync(ct);
                await LedgerShadow.AnalyzeAsync(connection, LedgerShadow.RebuildSchema, ct);
                var head = findings.Count == 0 ? await SwapAsync(connection, run, replay, findings, ct) : null;
                return new LedgerRebuilt(head ?? replay.Position.Version, head is not null);
            }
            // Only the table's key sees that two events far from each other answer the same (actor, key).
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
            {
                findings.Add(LedgerFindingCodes.OutcomeDuplicate, $"{e.ConstraintName}", "one outcome", "a second one");
                return new LedgerRebuilt(replay.Position.Version, Swapped: false);
            }
            finally
            {
                if (connection.State == System.Data.ConnectionState.Open)
                    await LedgerShadow.ExecuteAsync(
                        connection, $"drop schema if exists {LedgerShadow.RebuildSchema} cascade", CancellationToken.None);
            }
        }
        finally
        {
            await LedgerShadow.DiscardAsync(connection);
        }
    }

    private async Task<long?> SwapAsync(
        NpgsqlConnection connection, JournalRun run, JournalReplay replay, FindingSink findings, CancellationToken ct)
    {
        await using var transaction = await LockAsync(connection, ct);
        // The fence is ours: what is committed now is all there is.
        var head = await run.ReplayRestAsync(ct);
        if (findings.Count > 0)
        {
            await transaction.RollbackAsync(ct);
            return null;
        }

        foreach (var statement in await RightsAsync(connection, ct))
            await LedgerShadow.ExecuteAsync(connection, statement, ct);
        foreach (var table in LedgerShadow.Tables)
            await LedgerShadow.ExecuteAsync(
                connection,
                $"drop table public.{table}; alter table {LedgerShadow.RebuildSchema}.{table} set schema public", ct);
        var position = replay.Position;
        await LedgerShadow.ExecuteAsync(
            connection, PutFenceSql, ct, LedgerParameters.Text(shard), LedgerParameters.Long(position.Version),
            LedgerParameters.Long(position.AccountCount), LedgerParameters.Time(position.At));
        await LedgerShadow.ExecuteAsync(
            connection, "delete from public.ledger_fence where shard <> $1", ct, LedgerParameters.Text(shard));
        await transaction.CommitAsync(ct);
        return head;
    }

    // The fence first, as every writer does; then all tables, in one order. Readers are waited for a moment at a time:
    // whoever waits for a table makes everybody behind it wait.
    private async Task<NpgsqlTransaction> LockAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            var transaction = await connection.BeginTransactionAsync(ct);
            try
            {
                await LedgerShadow.ExecuteAsync(connection, "set local lock_timeout = '2s'", ct);
                await LedgerShadow.ExecuteAsync(connection, MoveFenceSql, ct, LedgerParameters.Text(shard));
                await LedgerShadow.ExecuteAsync(
                    connection,
                    $"lock table {string.Join(", ", LedgerShadow.Tables.Select(table => $"public.{table}"))} in access exclusive mode",
                    ct);
                return transaction;
            }
            catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
            {
                await transaction.DisposeAsync();
                if (attempt == AttemptsMax)
                    throw new LedgerRebuildException("Somebody reads the ledger's tables and does not let go of them.", e);
                await Task.Delay(Pause, ct);
            }
            catch
            {
                await transaction.DisposeAsync();
                throw;
            }
        }
    }

    private static async Task<bool> TakeTurnAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(OneAtATimeSql, connection);
        return (bool)(await command.ExecuteScalarAsync(ct))!;
    }

    private static async Task<List<string>> RightsAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(RightsSql, connection);
        command.Parameters.Add(LedgerParameters.Texts(LedgerShadow.Tables, table => $"public.{table}"));
        await using var reader = await command.ExecuteReaderAsync(ct);
        var statements = new List<string>();
        while (await reader.ReadAsync(ct))
            statements.Add(reader.GetString(0));
        return statements;
    }
}
