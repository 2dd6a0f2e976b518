using System.Security.Cryptography;
using System.Text;
using Lumora.Projections.Hosting;

namespace Lumora.Projections.Participants;

/// <summary>
/// Finds a participant by wallet without a wallet in the database: a keyed hash, whose key is a file
/// (docs/sealed-fields.md).
/// </summary>
public sealed class WalletIndex(LumoraHome home)
{
    private readonly byte[] _key = SecretFile.ReadOrCreate(
        Path.Combine(home.Keys, "wallet-index.key"), () => RandomNumberGenerator.GetBytes(32));

    /// <summary>The index of <paramref name="wallet"/> (base58): 64 hexadecimal digits.</summary>
    public string Of(string wallet) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes("lumora-wallet-index/1\n" + wallet)));
}
