using System.Diagnostics;
using Npgsql;

namespace Lumora.Bench.Server;

/// <summary>What server and client have used up to a moment.</summary>
/// <param name="At">Of <see cref="Stopwatch"/>.</param>
/// <param name="Lsn">The end of the WAL.</param>
/// <param name="WalBytes">The same as a count of bytes.</param>
/// <param name="PageImages">Full-page images written so far, as the server's statistics count them.</param>
/// <param name="DatabaseCpuMs">Of all processes of the server; null when they cannot be seen.</param>
/// <param name="ClientCpuMs">Of this process: the load and what runs in it.</param>
/// <param name="MachineCpuMs">Of everything on this machine; null when it cannot be seen.</param>
internal sealed record MeterReading(
    long At, string Lsn, long WalBytes, long PageImages, double? DatabaseCpuMs, double ClientCpuMs, double? MachineCpuMs);

/// <summary>Reads WAL and processor time around a row.</summary>
internal sealed class ServerMeter
{
    private const string WalSql =
        """
        select pg_current_wal_insert_lsn()::text, (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint, wal_fpi
        from pg_stat_wal
        """;

    private readonly NpgsqlDataSource _source;
    private readonly ServerProcesses? _processes;
    private readonly bool _readsWal;

    private ServerMeter(NpgsqlDataSource source, ServerProcesses? processes, bool readsWal) =>
        (_source, _processes, _readsWal) = (source, processes, readsWal);

    /// <summary>False when the processor time of the database cannot be measured here.</summary>
    public bool SeesProcesses => _processes is not null;

    /// <summary>False when the server lacks pg_walinspect, which tells page images from the rest of the WAL.</summary>
    public bool ReadsWal => _readsWal;

    /// <summary>A meter of <paramref name="server"/>.</summary>
    public static async Task<ServerMeter> OpenAsync(BenchServer server, CancellationToken ct)
    {
        var readsWal = true;
        try
        {
            await using var command = server.Admin.CreateCommand("create extension if not exists pg_walinspect");
            await command.ExecuteNonQueryAsync(ct);
        }
        catch (PostgresException)
        {
            readsWal = false;
        }

        return new ServerMeter(server.Admin, await ServerProcesses.FindAsync(server.Admin, ct), readsWal);
    }

    /// <summary>Reads all of it now.</summary>
    public async Task<MeterReading> ReadAsync(CancellationToken ct)
    {
        await using var command = _source.CreateCommand(WalSql);
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        using var self = Process.GetCurrentProcess();
        return new MeterReading(
            Stopwatch.GetTimestamp(), reader.GetString(0), reader.GetInt64(1), reader.GetInt64(2), _processes?.CpuMs(),
            self.TotalProcessorTime.TotalMilliseconds, ServerProcesses.MachineCpuMs());
    }

    /// <summary>
    /// Bytes of WAL between two readings without the full-page images; null when the server cannot tell, or has
    /// recycled that WAL already. Reads the WAL itself, so ask it after the load has ended.
    /// </summary>
    public async Task<long?> WithoutPageImagesAsync(MeterReading from, MeterReading to, CancellationToken ct)
    {
        if (!_readsWal)
            return null;
        await using var command = _source.CreateCommand(
            "select sum(record_size)::bigint from pg_get_wal_stats($1::pg_lsn, $2::pg_lsn)");
        command.CommandTimeout = 120;
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = from.Lsn });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = to.Lsn });
        try
        {
            return await command.ExecuteScalarAsync(ct) as long?;
        }
        catch (PostgresException)
        {
            return null;
        }
    }
}
