namespace Lumora.Domain.Kernel;

/// <summary>What an identity may do. Flags: one person is often provider and consumer.</summary>
[Flags]
public enum Roles
{
    /// <summary>Signed in, nothing more.</summary>
    None = 0,

    /// <summary>Owns nodes and earns.</summary>
    Provider = 1,

    /// <summary>Buys datasets.</summary>
    Consumer = 2,

    /// <summary>May read restricted export.</summary>
    Auditor = 4,

    /// <summary>Governs: parameters, penalties, freezes.</summary>
    Steward = 8,

    /// <summary>Runs the host.</summary>
    Operator = 16,

    /// <summary>A provider's machine, known by its Ed25519 key.</summary>
    Node = 32,
}

/// <summary>Who does something; stands in every event's metadata (<c>meta.actor</c> of the leaf).</summary>
/// <param name="Id">
/// A participant id, <c>node:&lt;base58 key&gt;</c>, or <c>system:&lt;slice&gt;</c> for the network's own processes.
/// </param>
/// <param name="Roles">What the actor may do.</param>
public sealed record Actor(string Id, Roles Roles)
{
    /// <summary>One of the network's own processes, for example <c>system:rewards</c>.</summary>
    public static Actor System(string slice) => new($"system:{slice}", Roles.None);

    /// <summary>True when the actor has any of <paramref name="roles"/>.</summary>
    public bool Has(Roles roles) => (Roles & roles) != Roles.None;
}
