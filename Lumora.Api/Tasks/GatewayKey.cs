using System.Security.Cryptography;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Tasks;
using Lumora.Projections.Hosting;
using SimpleBase;

namespace Lumora.Api.Tasks;

/// <summary>The gateway's Ed25519 key (<c>keys/gateway.key</c>): it countersigns the receipts of nodes.</summary>
internal sealed class GatewayKey
{
    private readonly byte[] _seed;
    private readonly ICurve25519 _curve;

    public GatewayKey(LumoraHome home, ICurve25519 curve)
    {
        _seed = SecretFile.ReadOrCreate(
            Path.Combine(home.Keys, "gateway.key"), () => RandomNumberGenerator.GetBytes(32));
        _curve = curve;
        Id = Base58.Bitcoin.Encode(curve.Ed25519PublicKey(_seed));
    }

    /// <summary>base58 of its public key.</summary>
    public string Id { get; }

    /// <summary>Says that this gateway received what <paramref name="receipt"/> claims.</summary>
    public ReceiptCountersigned Countersign(WorkReceipt receipt)
    {
        var unsigned = new ReceiptCountersigned(receipt, Id);
        return unsigned with { Sig = Convert.ToBase64String(_curve.Ed25519Sign(_seed, unsigned.SigningBytes())) };
    }
}
