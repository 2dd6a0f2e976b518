using System.Globalization;
using Npgsql;

namespace Lumora.Bench.Server;

/// <summary>
/// The processes of a PostgreSQL server on this machine, as /proc shows them: their processor time is what the
/// database spends, whoever it spends it for (backends, WAL writer, checkpointer, autovacuum).
/// </summary>
internal sealed class ServerProcesses
{
    // sysconf(_SC_CLK_TCK) is 100 on every Linux that .NET runs on.
    private const double MsPerTick = 10;

    private readonly int _postmaster;

    private ServerProcesses(int postmaster) => _postmaster = postmaster;

    /// <summary>The processes of the server of <paramref name="source"/>; null when it is not on this machine or cannot be seen.</summary>
    public static async Task<ServerProcesses?> FindAsync(NpgsqlDataSource source, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var command = new NpgsqlCommand("select pg_backend_pid()", connection);
        var backend = (int)(await command.ExecuteScalarAsync(ct))!;
        return connection.Host is "127.0.0.1" or "::1" or "localhost" || Path.IsPathRooted(connection.Host)
            ? Read(backend) is { Name: "postgres" } process && Read(process.Parent) is { Name: "postgres" }
                ? new ServerProcesses(process.Parent)
                : null
            : null;
    }

    /// <summary>Processor time of all of them until now, in ms; those that have ended count through their parent.</summary>
    public double CpuMs()
    {
        var total = Read(_postmaster) is { } postmaster ? postmaster.OwnTicks + postmaster.EndedChildrenTicks : 0L;
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                && Read(id) is { } process && process.Parent == _postmaster)
            {
                total += process.OwnTicks;
            }
        }

        return total * MsPerTick;
    }

    /// <summary>Processor time of the whole machine until now, in ms; null where /proc does not tell it.</summary>
    public static double? MachineCpuMs()
    {
        if (!File.Exists("/proc/stat"))
            return null;
        // "cpu user nice system idle iowait irq softirq steal guest …": guest is in user already.
        var fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var busy = Number(fields[1]) + Number(fields[2]) + Number(fields[3]) + Number(fields[6]) + Number(fields[7]) + Number(fields[8]);
        return busy * MsPerTick;
    }

    // proc(5): "pid (comm) state ppid … utime(14) stime(15) cutime(16) cstime(17)"; comm may hold anything but ends at
    // the last parenthesis.
    private static (string Name, int Parent, long OwnTicks, long EndedChildrenTicks)? Read(int process)
    {
        try
        {
            var line = File.ReadAllText($"/proc/{process}/stat");
            var (open, close) = (line.IndexOf('('), line.LastIndexOf(')'));
            var fields = line[(close + 2)..].Split(' ');
            return (line[(open + 1)..close], (int)Number(fields[1]), Number(fields[11]) + Number(fields[12]),
                Number(fields[13]) + Number(fields[14]));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static long Number(string field) => long.Parse(field, CultureInfo.InvariantCulture);
}
