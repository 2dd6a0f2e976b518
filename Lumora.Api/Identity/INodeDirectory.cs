namespace Lumora.Api.Identity;

/// <summary>Knows the registered nodes; the slice of nodes implements it.</summary>
public interface INodeDirectory
{
    /// <summary>True when a provider has registered the node; a suspended one may still ask why.</summary>
    /// <param name="nodeId">Base58 of its Ed25519 key.</param>
    /// <param name="cancellationToken">Stops the look-up.</param>
    ValueTask<bool> IsRegisteredAsync(string nodeId, CancellationToken cancellationToken);
}

/// <summary>Where no slice knows nodes, there are none.</summary>
internal sealed class NoNodes : INodeDirectory
{
    public ValueTask<bool> IsRegisteredAsync(string nodeId, CancellationToken cancellationToken) => new(false);
}
