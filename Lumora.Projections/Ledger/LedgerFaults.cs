using System.Net.Sockets;
using JasperFx;
using Marten.Exceptions;
using Npgsql;

namespace Lumora.Projections.Ledger;

/// <summary>Tells the faults of a commit apart.</summary>
internal static class LedgerFaults
{
    /// <summary>The database was away or asks for another try; the same batch may succeed.</summary>
    public static bool IsPassing(Exception fault) => Causes(fault).Any(cause => cause switch
    {
        // Shut down, killed or crashed (57P0x) and lost connections (08) are not "transient" to Npgsql.
        PostgresException { SqlState: { } state } postgres =>
            postgres.IsTransient || state.StartsWith("57P", StringComparison.Ordinal)
            || state.StartsWith("08", StringComparison.Ordinal),
        NpgsqlException npgsql => npgsql.IsTransient,
        SocketException or IOException or TimeoutException => true,
        _ => false,
    });

    /// <summary>A companion's stream moved, or exists already, between its lock and its append.</summary>
    public static bool IsConflict(Exception fault) => Causes(fault).Any(cause =>
        cause is ConcurrencyException or ExistingStreamIdCollisionException or NonExistentStreamException
        || cause is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation });

    private static IEnumerable<Exception> Causes(Exception fault)
    {
        for (var cause = fault; cause is not null; cause = cause.InnerException)
            yield return cause;
    }
}
