using Lumora.Domain.Tasks;
using Lumora.Node.Cryptography;
using Lumora.Node.Keys;

namespace Lumora.Node.Leasing;

/// <summary>Checks what a gateway signed: the owner's proof that the work was handed in.</summary>
internal static class Countersignature
{
    /// <summary>True when <paramref name="answer"/> is the gateway's signature over exactly <paramref name="receipt"/>.</summary>
    internal static bool Holds(ReceiptCountersigned answer, WorkReceipt receipt)
    {
        var key = new byte[33];
        var signature = new byte[65];
        return answer.Receipt == receipt
            && answer.Sig is not null
            && Base58Text.TryDecode(answer.GatewayId, key, out var keyLength)
            && keyLength == 32
            && Convert.TryFromBase64String(answer.Sig, signature, out var signatureLength)
            && signatureLength == 64
            && NodeKey.Curve.Ed25519Verify(key.AsSpan(0, 32), answer.SigningBytes(), signature.AsSpan(0, 64));
    }
}
