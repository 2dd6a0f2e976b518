using System.Reflection;
using Npgsql;

namespace Lumora.Bench.Ledger.Peers;

/// <summary>The bench's own SQL files, and how statements run once.</summary>
internal static class SqlText
{
    /// <summary>The embedded file <paramref name="name"/>.</summary>
    public static string Read(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"{name} is not in the assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>Runs <paramref name="sql"/>, which may take minutes.</summary>
    public static async Task RunAsync(this NpgsqlDataSource source, string sql, CancellationToken ct)
    {
        await using var command = source.CreateCommand(sql);
        command.CommandTimeout = 300;
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>The one value of <paramref name="sql"/>.</summary>
    public static async Task<T> ValueAsync<T>(this NpgsqlDataSource source, string sql, CancellationToken ct)
    {
        await using var command = source.CreateCommand(sql);
        command.CommandTimeout = 300;
        return (T)(await command.ExecuteScalarAsync(ct))!;
    }
}
