using GraphQL;
using Lumora.Api.GraphQL;
using Lumora.Chain.Log;
using Lumora.Domain.Kernel;
using Microsoft.Extensions.Options;

namespace Lumora.Api.Log;

/// <summary>Who may read events: everybody, or auditors where <c>Log:Access</c> says so. The same rule as for <c>/v1/events</c>.</summary>
public sealed class LogAccessRule(IOptions<LogOptions> options)
{
    /// <summary>Throws when <paramref name="caller"/> (null: nobody signed in) may not read events.</summary>
    /// <exception cref="ExecutionError"><c>UNAUTHENTICATED</c> or <c>FORBIDDEN</c>.</exception>
    public void Demand(Actor? caller)
    {
        if (options.Value.Access == LogAccess.Public || caller?.Has(Roles.Auditor) == true)
            return;
        throw new ExecutionError("The events of this log are for auditors (Log:Access).")
        {
            Code = caller is null ? ErrorCodes.Unauthenticated : ErrorCodes.Forbidden,
        };
    }
}
