using JasperFx.Events;
using Marten.Events.Aggregation;

namespace Lumora.Projections.EventStore;

/// <summary>
/// Folds a stream into the state that a decider needs, on demand and stored nowhere. The state's own
/// <c>Evolve</c> is the fold, so the domain needs no package and no generated code.
/// </summary>
/// <typeparam name="T">An immutable state record.</typeparam>
/// <param name="evolve">Its fold.</param>
public sealed class LiveState<T>(Func<T?, object, T?> evolve) : SingleStreamProjection<T, string>
    where T : class
{
    /// <inheritdoc/>
    public override T? Evolve(T? snapshot, string id, IEvent e) => evolve(snapshot, e.Data);
}
