using System.Text;

namespace Lumora.Domain.Nodes;

/// <summary>
/// The proof of possession that a node gives to its owner: an Ed25519 signature over the owner's participant id,
/// so that nobody can register a node key that is not theirs, nor reuse another owner's proof.
/// </summary>
public static class NodeOwnership
{
    /// <summary>The bytes that the node signs: <c>lumora-node/1\nregister\n{participantId}</c>, UTF-8.</summary>
    public static byte[] SignedBytes(string participantId) =>
        Encoding.UTF8.GetBytes($"lumora-node/1\nregister\n{participantId}");
}
