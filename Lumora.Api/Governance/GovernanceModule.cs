using Lumora.Projections.Governance;

namespace Lumora.Api.Governance;

/// <summary>Acts of power and their second approval.</summary>
internal static class GovernanceModule
{
    /// <summary>Adds the slice.</summary>
    public static WebApplicationBuilder AddGovernance(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ApprovalQueries>();
        builder.Services.AddSingleton<Approvals>();
        return builder;
    }
}
