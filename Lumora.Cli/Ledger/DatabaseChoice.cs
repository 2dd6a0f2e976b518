using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Lumora.Cli.Reports;
using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;
using Lumora.Projections.Hosting;
using Npgsql;

namespace Lumora.Cli.Ledger;

/// <summary>Options that say in which database a ledger lies, shared by the commands that read it there.</summary>
internal sealed class DatabaseChoice
{
    private const string Variable = "LUMORA_DATABASE";
    private const string HostVariable = "ConnectionStrings__Lumora";

    public Option<string?> Database { get; } = new("--database")
    {
        Description = $"The PostgreSQL of the host. Default: {Variable}, else {HostVariable}, else the home's own database.",
        HelpName = "CONNECTIONSTRING",
    };

    public Option<string?> Home { get; } = new("--home")
    {
        Description = "The host's home on this machine, for its own database. Default: LUMORA_HOME, else the user's.",
        HelpName = "DIR",
    };

    public Option<string> Shard { get; } = new("--shard")
    {
        Description = "The shard whose ledger it is.",
        HelpName = "NAME",
        DefaultValueFactory = _ => ShardMap.DefaultShard,
    };

    /// <summary>Opens the chosen database and makes sure that the ledger is there.</summary>
    /// <exception cref="UnableException">No database, or none with this ledger.</exception>
    public async Task<NpgsqlDataSource> OpenAsync(ParseResult parsed, CancellationToken ct)
    {
        NpgsqlDataSource? source = null;
        try
        {
            source = NpgsqlDataSource.Create(ConnectionString(parsed));
            await AssertLedgerAsync(source, parsed.GetValue(Shard)!, ct);
            return source;
        }
        catch (Exception exception) when (exception is NpgsqlException or ArgumentException or InvalidOperationException)
        {
            if (source is not null)
                await source.DisposeAsync();
            throw new UnableException($"the database cannot be opened: {exception.Message}", exception);
        }
        catch
        {
            if (source is not null)
                await source.DisposeAsync();
            throw;
        }
    }

    private string ConnectionString(ParseResult parsed)
    {
        foreach (var given in (string?[])[
            parsed.GetValue(Database), parsed.GetValue(Home) is null ? Environment.GetEnvironmentVariable(Variable) : null,
            parsed.GetValue(Home) is null ? Environment.GetEnvironmentVariable(HostVariable) : null])
        {
            if (!string.IsNullOrWhiteSpace(given))
                return given;
        }

        var home = parsed.GetValue(Home) ?? Environment.GetEnvironmentVariable("LUMORA_HOME");
        return OwnDatabase(Path.GetFullPath(string.IsNullOrWhiteSpace(home) ? LumoraHome.DefaultPath() : home));
    }

    // Where the host starts its own PostgreSQL, which listens only while a host runs.
    private static string OwnDatabase(string home)
    {
        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(home)))[..16];
        var file = ((string[])[Path.Combine(home, "postgres"), Path.Combine("/var/lib/lumora", name)])
            .Select(folder => Path.Combine(folder, "data", "postmaster.pid")).FirstOrDefault(File.Exists);
        // postmaster.pid: the first line is the process, the fourth the port.
        if (file is null || File.ReadAllLines(file) is not { Length: >= 4 } lines
            || !int.TryParse(lines[3], CultureInfo.InvariantCulture, out var port))
            throw new UnableException(
                $"no database of the home {home} is running: start the host, or name the database with --database or {Variable}.");
        return new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = port,
            Username = "lumora",
            Password = Encoding.ASCII.GetString(SecretFile.Read(Path.Combine(home, "keys", "postgres.password"))),
            Database = "lumora",
        }.ConnectionString;
    }

    private static async Task AssertLedgerAsync(NpgsqlDataSource source, string shard, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var laidOut = new NpgsqlCommand(
            "select to_regclass('public.ledger_fence') is not null and to_regclass('public.mt_streams') is not null", connection);
        if (await laidOut.ExecuteScalarAsync(ct) is not true)
            throw new UnableException($"the database {connection.Database} holds no ledger: a host lays it out at its first start.");
        await using var shards = new NpgsqlCommand(
            """
            select coalesce(string_agg(distinct shard, ', '), 'none'), coalesce(bool_or(shard = $1), false) from (
              select shard from public.ledger_fence union all
              select substr(id, 8) from public.mt_streams where id like 'ledger/%') s
            """,
            connection);
        shards.Parameters.Add(new NpgsqlParameter { Value = shard });
        await using var reader = await shards.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        if (!reader.GetBoolean(1))
            throw new UnableException($"the database {connection.Database} holds no {LedgerJournal.StreamId(shard)}; its shards: {reader.GetString(0)}.");
    }
}
