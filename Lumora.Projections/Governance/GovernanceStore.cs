using JasperFx.Events.Projections;
using Lumora.Domain.Governance;
using Marten;

namespace Lumora.Projections.Governance;

/// <summary>Lays out approvals.</summary>
public static class GovernanceStore
{
    /// <summary>Adds the slice to the store.</summary>
    public static void Configure(StoreOptions options)
    {
        options.Projections.Add(new ApprovalView(), ProjectionLifecycle.Inline);
        options.Schema.For<Approval>().Index(approval => approval.Place).Index(approval => approval.PlaceInState);
    }
}
