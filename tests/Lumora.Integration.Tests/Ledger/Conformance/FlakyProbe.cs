using Lumora.Projections.Ledger;
using Npgsql;

namespace Lumora.Integration.Tests.Ledger.Conformance;

/// <summary>
/// Loses commits at random while it is armed: the connection is killed before or after the append, the answer of a commit
/// is lost, and now and then in a way that the writer does not repeat by itself, so that the client has to.
/// </summary>
internal sealed class FlakyProbe(Random random) : ILedgerProbe
{
    private readonly Lock _gate = new();
    private NpgsqlDataSource? _database;

    /// <summary>Whether commits get lost; null = not.</summary>
    public NpgsqlDataSource? Database
    {
        get => Volatile.Read(ref _database);
        set => Volatile.Write(ref _database, value);
    }

    /// <summary>How often each kind of fault came at each point.</summary>
    public Dictionary<(CommitPoint Point, string Fault), int> Faults { get; } = [];

    public async ValueTask ReachedAsync(CommitPoint point, int backend, CancellationToken ct)
    {
        if (Database is not { } database || Draw(point) is not { } fault)
            return;
        if (fault == "fatal")
            throw new InvalidOperationException($"lost at {point}");
        if (point == CommitPoint.AfterCommit)
            throw new NpgsqlException($"lost at {point}", new IOException("connection reset"));
        await using var command = database.CreateCommand($"select pg_terminate_backend({backend}, 5000)");
        await command.ExecuteNonQueryAsync(ct);
    }

    private string? Draw(CommitPoint point)
    {
        lock (_gate)
        {
            var fault = random.Next(10) switch { 0 => "fatal", 1 => "passing", _ => null };
            if (fault is not null)
                Faults[(point, fault)] = Faults.GetValueOrDefault((point, fault)) + 1;
            return fault;
        }
    }
}
