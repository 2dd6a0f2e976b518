using GraphQL;
using GraphQL.Types;
using Lumora.Domain.Kernel;

namespace Lumora.Api.GraphQL;

/// <summary>
/// Who may use a field. Required on every field of the root types; on a field of another type it narrows access further.
/// </summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Property)]
public abstract class AccessAttribute : GraphQLAttribute
{
    private const string MetadataKey = "lumora.access";

    /// <inheritdoc/>
    public override void Modify(FieldType fieldType, bool isInputType) => fieldType.Metadata[MetadataKey] = this;

    /// <summary>The declaration on <paramref name="field"/>; null when there is none.</summary>
    internal static AccessAttribute? On(FieldType field) => field.GetMetadata<AccessAttribute?>(MetadataKey, () => null);

    /// <summary>Why <paramref name="caller"/> (null: nobody signed in) is refused; null when it is allowed.</summary>
    internal abstract Rejection? Refusal(Actor? caller);

    private protected static Rejection NotSignedIn { get; } =
        new(ErrorCodes.Unauthenticated, "Sign in first: send a valid access token in the Authorization header.");
}

/// <summary>The field is open to everyone, signed in or not.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Property)]
public sealed class AllowAnyoneAttribute : AccessAttribute
{
    internal override Rejection? Refusal(Actor? caller) => null;
}

/// <summary>The field is open to every signed-in identity, whatever its roles.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Property)]
public sealed class AllowSignedInAttribute : AccessAttribute
{
    internal override Rejection? Refusal(Actor? caller) => caller is null ? NotSignedIn : null;
}

/// <summary>The field is open to identities with any of <paramref name="roles"/>.</summary>
/// <param name="roles">One or more roles; having one of them is enough.</param>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Property)]
public sealed class AllowAttribute(Roles roles) : AccessAttribute
{
    /// <summary>The roles of which the caller needs one.</summary>
    public Roles Roles { get; } = roles != Roles.None
        ? roles
        : throw new ArgumentException("Name at least one role, or use [AllowSignedIn].", nameof(roles));

    internal override Rejection? Refusal(Actor? caller) => caller switch
    {
        null => NotSignedIn,
        _ when caller.Has(Roles) => null,
        _ => new Rejection(ErrorCodes.Forbidden, $"This needs one of the roles: {Roles}."),
    };
}
