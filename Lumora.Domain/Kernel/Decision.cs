namespace Lumora.Domain.Kernel;

/// <summary>Why a command was refused: a value with a stable code, not an exception.</summary>
/// <param name="Code">Stable, snake_case: programs switch on it (<c>insufficient_funds</c>).</param>
/// <param name="Message">For people: what was wrong and what to do.</param>
/// <param name="Field">The input field at fault, in the command's wire name, where there is one.</param>
public sealed record Rejection(string Code, string Message, string? Field = null);

/// <summary>What a decider answers: the events to append, or the reason why not.</summary>
public abstract record Decision
{
    private Decision()
    {
    }

    /// <summary>Accepted with these events; an empty list means that nothing needs to change (a replay).</summary>
    public static Decision Accept(params IReadOnlyList<object> events) => new Accepted(events);

    /// <summary>Refused.</summary>
    public static Decision Reject(string code, string message, string? field = null) =>
        new Rejected(new Rejection(code, message, field));

    /// <summary>The command holds.</summary>
    /// <param name="Events">Facts to append, in order; may be empty.</param>
    public sealed record Accepted(IReadOnlyList<object> Events) : Decision;

    /// <summary>The command is refused and changes nothing.</summary>
    /// <param name="Reason">The coded reason.</param>
    public sealed record Rejected(Rejection Reason) : Decision;
}

/// <summary>A value, or the coded reason why there is none: what command handlers return to the API.</summary>
public readonly record struct Result<T>
{
    private Result(T? value, Rejection? rejection) => (Value, Rejection) = (value, rejection);

    /// <summary>Set when <see cref="Rejection"/> is null.</summary>
    public T? Value { get; }

    /// <summary>Set when the command was refused.</summary>
    public Rejection? Rejection { get; }

    /// <summary>Success.</summary>
    public static implicit operator Result<T>(T value) => new(value, null);

    /// <summary>Refusal.</summary>
    public static implicit operator Result<T>(Rejection rejection) => new(default, rejection);
}
