using System.Security.Claims;
using GraphQL;
using Lumora.Domain.Kernel;

namespace Lumora.Api.GraphQL;

/// <summary>Who calls, for resolvers.</summary>
public static class Callers
{
    /// <summary>The signed-in caller.</summary>
    /// <exception cref="ExecutionError"><c>UNAUTHENTICATED</c>: nobody is signed in. Cannot happen on a field that
    /// declares <see cref="AllowSignedInAttribute"/> or <see cref="AllowAttribute"/>.</exception>
    public static Actor Actor(this IResolveFieldContext context) =>
        context.Caller() ?? throw new ExecutionError("Sign in first.") { Code = ErrorCodes.Unauthenticated };

    /// <summary>The caller, or null when nobody is signed in; for fields that are open to anyone.</summary>
    public static Actor? Caller(this IResolveFieldContext context) => FromPrincipal(context.User);

    /// <summary>
    /// Reads <c>sub</c> and the <c>role</c> claims. A principal that is not authenticated or has no subject is nobody.
    /// </summary>
    internal static Actor? FromPrincipal(ClaimsPrincipal? user)
    {
        if (user?.Identity is not { IsAuthenticated: true })
            return null;
        var subject = user.FindFirstValue("sub") ?? user.FindFirstValue(ClaimTypes.NameIdentifier);
        if (string.IsNullOrEmpty(subject))
            return null;

        var roles = Roles.None;
        foreach (var claim in user.Claims.Where(c => c.Type is "role" or ClaimTypes.Role))
        {
            // Numbers are refused: Enum.TryParse would take "31" for five roles at once.
            if (claim.Value.Length > 0 && char.IsAsciiLetter(claim.Value[0])
                && Enum.TryParse<Roles>(claim.Value, ignoreCase: true, out var role))
                roles |= role;
        }
        return new Actor(subject, roles);
    }
}
