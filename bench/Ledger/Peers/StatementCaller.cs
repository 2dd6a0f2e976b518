using Lumora.Bench.Measuring;
using Npgsql;

namespace Lumora.Bench.Ledger.Peers;

/// <summary>A caller with a connection of its own and one prepared statement, each call a transaction.</summary>
internal sealed class StatementCaller : ICaller
{
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlCommand _command;
    private readonly Action<NpgsqlParameterCollection> _fill;
    private readonly int _transfers;

    private StatementCaller(NpgsqlCommand command, Action<NpgsqlParameterCollection> fill, int transfers) =>
        (_connection, _command, _fill, _transfers) = (command.Connection!, command, fill, transfers);

    /// <summary>Opens the connection and prepares <paramref name="command"/> on it.</summary>
    /// <param name="source">The subject's database.</param>
    /// <param name="command">The statement with its parameters.</param>
    /// <param name="fill">Sets the parameters' values before each call.</param>
    /// <param name="transfers">How many transfers a call makes.</param>
    /// <param name="ct">Gives up.</param>
    public static async Task<ICaller> OpenAsync(
        NpgsqlDataSource source, NpgsqlCommand command, Action<NpgsqlParameterCollection> fill, int transfers, CancellationToken ct)
    {
        command.Connection = await source.OpenConnectionAsync(ct);
        fill(command.Parameters);
        await command.PrepareAsync(ct);
        return new StatementCaller(command, fill, transfers);
    }

    /// <inheritdoc/>
    public async Task<int> CallAsync(CancellationToken ct)
    {
        _fill(_command.Parameters);
        await _command.ExecuteNonQueryAsync(ct);
        return _transfers;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _command.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
