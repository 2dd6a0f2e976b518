using System.Runtime.CompilerServices;
using System.Text.Json;
using Lumora.Chain.Solana;

namespace Lumora.Chain.Tests.Solana;

/// <summary>Vectors that @solana/kit made (devstack/vectors/generate.js).</summary>
internal sealed record SolanaVectors(
    string Checkpoint,
    Dictionary<string, SolanaVectors.KeyVector> Keys,
    Dictionary<string, SolanaVectors.InstructionVector> Instructions,
    SolanaVectors.TransactionVector[] Transactions,
    SolanaVectors.TokenAccountVector[] AssociatedTokenAccounts)
{
    public static SolanaVectors Load() =>
        JsonSerializer.Deserialize<SolanaVectors>(
            File.ReadAllText(Path.Combine(Folder(), "vectors", "transactions.json")), JsonSerializerOptions.Web)!;

    public Keypair Key(string name) => Keypair.FromSeed(Convert.FromHexString(Keys[name].Seed));

    public sealed record KeyVector(string Seed, string Address);

    public sealed record AccountVector(string Address, bool Signer, bool Writable);

    public sealed record InstructionVector(string Program, AccountVector[] Accounts, string Data);

    public sealed record TransactionVector(
        string Name, string Version, string Blockhash, string[] Instructions, string Message, string Wire,
        string Signature);

    public sealed record TokenAccountVector(string Owner, string Mint, string Account, byte Bump);

    private static string Folder([CallerFilePath] string here = "") => Path.GetDirectoryName(here)!;
}
