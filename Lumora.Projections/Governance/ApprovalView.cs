using JasperFx.Events;
using Lumora.Domain.Governance;
using Marten.Events.Aggregation;

namespace Lumora.Projections.Governance;

/// <summary>Keeps the state of each approval beside its stream, in the transaction of its events: for a grant, the ledger's.</summary>
public sealed class ApprovalView : SingleStreamProjection<Approval, string>
{
    /// <inheritdoc/>
    public override Approval? Evolve(Approval? snapshot, string id, IEvent e) => Approval.Evolve(snapshot, e.Data);
}
