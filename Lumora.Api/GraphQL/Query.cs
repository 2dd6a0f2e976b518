using System.Reflection;

namespace Lumora.Api.GraphQL;

/// <summary>What can be read. Every field says who may read it; lists are connections with bounded pages.</summary>
public sealed partial class Query
{
    private Query()
    {
    }

    /// <summary>The version of this server, as in its release notes.</summary>
    [AllowAnyone]
    public static string ApiVersion() =>
        typeof(Query).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
            .Split('+')[0] ?? "unknown";
}
