using JasperFx.Events;
using Lumora.Domain.Participants;
using Marten.Events.Aggregation;

namespace Lumora.Projections.Participants;

/// <summary>Keeps the state of each participant beside its stream, in the transaction of its events.</summary>
public sealed class ParticipantView : SingleStreamProjection<Participant, string>
{
    /// <inheritdoc/>
    public override Participant? Evolve(Participant? snapshot, string id, IEvent e) => Participant.Evolve(snapshot, e.Data);
}
