using Lumora.Chain.Notes;

namespace Lumora.Chain.Log;

/// <summary>
/// Signs the checkpoints of one log: with its key, and while that key is being replaced with the next one too, so that whoever knows
/// either of them can check them.
/// </summary>
public sealed class LogSigner : IDisposable
{
    private readonly NoteSigner _current;
    private readonly NoteSigner? _next;

    /// <summary>
    /// Signs with <paramref name="current"/>, and with <paramref name="next"/> in an overlap; <paramref name="earlier"/> are keys that have
    /// signed before.
    /// </summary>
    /// <exception cref="ArgumentException">Current and next are one key, or not all have one name.</exception>
    public LogSigner(NoteSigner current, NoteSigner? next = null, IReadOnlyCollection<VerifierKey>? earlier = null)
    {
        if (earlier?.FirstOrDefault(key => key.Name != current.Verifier.Name) is { } other)
            throw new ArgumentException($"{other} is not a key of the log {current.Verifier.Name}.", nameof(earlier));
        if (next is not null && (next.Verifier.Name != current.Verifier.Name || next.Verifier.Equals(current.Verifier)))
            throw new ArgumentException("The next key of a log has the log's name and is another key.", nameof(next));
        (_current, _next) = (current, next);
        Keys = next is null ? [current.Verifier] : [current.Verifier, next.Verifier];
        KnownKeys = [.. Keys.Concat(earlier ?? []).Distinct()];
    }

    /// <summary>The log's key.</summary>
    public VerifierKey Key => _current.Verifier;

    /// <summary>The log's name.</summary>
    public string Origin => _current.Verifier.Name;

    /// <summary>All keys that sign, the log's key first.</summary>
    public IReadOnlyList<VerifierKey> Keys { get; }

    /// <summary>
    /// <see cref="Keys"/>, and behind them those that have signed before: what they have anchored counts on.
    /// </summary>
    public IReadOnlyList<VerifierKey> KnownKeys { get; }

    /// <summary>Signs a checkpoint's text.</summary>
    public SignedNote Sign(string text)
    {
        var note = new SignedNote(text, [_current.Sign(text)]);
        return _next is null ? note : note.With(_next.Sign(text));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _current.Dispose();
        _next?.Dispose();
    }
}
