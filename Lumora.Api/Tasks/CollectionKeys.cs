using System.Security.Cryptography;
using System.Text;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Kernel;
using Lumora.Projections.Hosting;

namespace Lumora.Api.Tasks;

/// <summary>
/// The collections' age identities, one file each under <c>keys/collections</c>, readable by their owner only. The
/// curator alone uses them; nodes and buyers never see one.
/// </summary>
internal sealed class CollectionKeys(LumoraHome home, ICurve25519 curve)
{
    /// <summary>Makes the key of a new collection and tells its recipient.</summary>
    public string Create(string collectionId)
    {
        var identity = AgeIdentity.Generate(RandomNumberGenerator.Fill);
        Check.That(SecretFile.TryCreate(PathOf(collectionId), Encoding.ASCII.GetBytes(identity.ToSecretText())));
        return identity.Recipient(curve).Text;
    }

    /// <summary>The identity that reads the results of <paramref name="collectionId"/>.</summary>
    public AgeIdentity Read(string collectionId) =>
        AgeIdentity.Parse(Encoding.ASCII.GetString(SecretFile.Read(PathOf(collectionId))).Trim());

    private string PathOf(string collectionId)
    {
        Check.That(TypeId.IsValid("collection", collectionId));
        return Path.Combine(home.Folder("keys", "collections"), $"{collectionId}.key");
    }
}
