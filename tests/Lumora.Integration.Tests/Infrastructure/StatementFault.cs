using Npgsql;

namespace Lumora.Integration.Tests.Infrastructure;

/// <summary>How a statement is broken.</summary>
internal enum Break
{
    /// <summary>The server refuses it with an error that is worth another try (a serialization failure).</summary>
    Transient,

    /// <summary>The server refuses it with an error that nobody expects.</summary>
    Refused,

    /// <summary>The server ends the session in the middle of it, as an administrator does.</summary>
    Terminated,

    /// <summary>The connection is gone before it gets to the server.</summary>
    Cut,

    /// <summary>"Failed but persisted": the server has done it, and the answer gets lost.</summary>
    AnswerLost,

    /// <summary>It does not get to the server, and nothing else on its connection: time stands still until somebody dies.</summary>
    Held,

    /// <summary>The server has done it, and its answer stays on the way until somebody dies.</summary>
    AnswerHeld,
}

/// <summary>One statement to break: the next one that matches.</summary>
/// <param name="Begin">How it begins.</param>
/// <param name="Break">How it is broken.</param>
/// <param name="In">What its transaction has asked before; null: whatever it has.</param>
internal sealed record StatementFault(string Begin, Break Break, string? In = null)
{
    /// <summary>The error code of the refusal, or null when nothing is refused.</summary>
    public string? Code => Break switch
    {
        Break.Transient => PostgresErrorCodes.SerializationFailure,
        Break.Refused => PostgresErrorCodes.RaiseException,
        Break.Terminated => PostgresErrorCodes.AdminShutdown,
        _ => null,
    };

    /// <summary>Whether <paramref name="sql"/>, asked in <paramref name="transaction"/>, is the one.</summary>
    public bool Matches(string sql, IReadOnlyList<string> transaction) =>
        sql.StartsWith(Begin, StringComparison.OrdinalIgnoreCase)
        && (In is null || transaction.Any(asked => asked.StartsWith(In, StringComparison.OrdinalIgnoreCase)));
}
