using System.Security.Claims;
using Lumora.Domain.Kernel;

namespace Lumora.Api.Identity;

/// <summary>Between a request's principal and the domain's actor.</summary>
public static class Actors
{
    internal const string SubjectClaim = "sub";
    internal const string RoleClaim = "role";

    /// <summary>How a node's actor id begins.</summary>
    public const string NodePrefix = "node:";

    /// <summary>Who calls, or null when nobody is signed in.</summary>
    public static Actor? ToActorOrNull(this ClaimsPrincipal principal)
    {
        if (principal.Identity is not { IsAuthenticated: true } || principal.FindFirstValue(SubjectClaim) is not { Length: > 0 } id)
            return null;
        var roles = principal.FindAll(RoleClaim)
            .Aggregate(Roles.None, (known, claim) => known | RoleOf(claim.Value));
        return new Actor(id, roles);
    }

    /// <summary>Who calls; only behind an endpoint that requires a signed-in caller.</summary>
    /// <exception cref="InvalidOperationException">Nobody is signed in: the endpoint forgot to require it.</exception>
    public static Actor ToActor(this ClaimsPrincipal principal) =>
        principal.ToActorOrNull() ?? throw new InvalidOperationException("This endpoint must require a signed-in caller.");

    /// <summary>The node id of a node's actor.</summary>
    /// <exception cref="InvalidOperationException">The caller is no node.</exception>
    public static string NodeId(this Actor actor) => actor.Has(Roles.Node) && actor.Id.StartsWith(NodePrefix, StringComparison.Ordinal)
        ? actor.Id[NodePrefix.Length..]
        : throw new InvalidOperationException("This endpoint must require a node.");

    internal static ClaimsPrincipal Principal(string id, Roles roles, string scheme) => new(new ClaimsIdentity(
        [new Claim(SubjectClaim, id), .. NamesOf(roles).Select(name => new Claim(RoleClaim, name))],
        scheme, SubjectClaim, RoleClaim));

    /// <summary>Single roles by their wire names, for example <c>provider</c>.</summary>
    internal static string[] NamesOf(Roles roles) =>
        [.. All.Where(role => (roles & role) != Roles.None).Select(NameOf)];

    internal static string NameOf(Roles role) => role.ToString().ToLowerInvariant();

    private static readonly Roles[] All = [.. Enum.GetValues<Roles>().Where(role => role != Roles.None)];

    private static Roles RoleOf(string name) => All.FirstOrDefault(role => NameOf(role) == name);
}
