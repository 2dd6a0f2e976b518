using Lumora.Chain.Cryptography;
using Lumora.Chain.Solana;
using Lumora.Projections.Hosting;
using Microsoft.Extensions.Options;
using SimpleBase;

namespace Lumora.Api.Identity;

/// <summary>Settings under <c>Lumora:Identity</c>; <c>Lumora:Stewards</c> stands beside them.</summary>
public sealed class IdentityOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Lumora:Identity";

    /// <summary>
    /// Host and port under which people reach this installation, for example <c>lumora.example</c>: what a sign-in
    /// message must name. Default: the addresses on which the host listens.
    /// </summary>
    public IReadOnlyList<string> Domains { get; set; } = [];

    /// <summary>The Solana cluster that a sign-in message must name. Default <c>localnet</c>.</summary>
    public string ChainId { get; set; } = "localnet";

    /// <summary>How long an access token holds, in minutes: 1 to 60. Default 15.</summary>
    public int AccessTokenMinutes { get; set; } = 15;

    /// <summary>How long a refresh token holds, in days: 1 to 90. Default 14.</summary>
    public int RefreshTokenDays { get; set; } = 14;

    /// <summary>Calls of the sign-in endpoints a minute and address: 1 to 100,000. Default 120.</summary>
    public int AttemptsPerMinute { get; set; } = 120;
}

/// <summary>The wallets of <c>Lumora:Stewards</c>.</summary>
/// <param name="Wallets">Base58.</param>
internal sealed record Stewards(IReadOnlyList<string> Wallets)
{
    public const string Key = "Lumora:Stewards";

    /// <summary>
    /// The configured wallets. On a developer's machine that names none and runs its own chain, a wallet made for it,
    /// <c>keys/steward.json</c> in the home folder: somebody must be able to govern there, too.
    /// </summary>
    /// <exception cref="OptionsValidationException">An entry is no wallet.</exception>
    public static Stewards From(IConfiguration configuration, IHostEnvironment environment)
    {
        var wallets = configuration.GetSection(Key).Get<string[]>()?.Where(wallet => wallet.Length > 0).ToArray() ?? [];
        var ownChain = string.IsNullOrEmpty(configuration["Solana:Endpoints"]) && configuration.GetValue("Solana:Embedded", true);
        if (wallets.Length == 0 && ownChain && environment.IsDevelopment())
        {
            var file = Path.Combine(LumoraHome.From(configuration).Keys, "steward.json");
            wallets = [KeypairFile.LoadOrCreate(file).PublicKey.Key];
        }
        for (var i = 0; i < wallets.Length; i++)
        {
            if (!Wallet.IsValid(wallets[i]))
                throw new OptionsValidationException(
                    Key, typeof(Stewards), [$"{Key}:{i} is no Solana address (base58 of 32 bytes): '{wallets[i]}'."]);
        }

        return new Stewards([.. wallets.Distinct(StringComparer.Ordinal)]);
    }
}

/// <summary>Solana addresses and other Ed25519 keys in base58.</summary>
internal static class Wallet
{
    private const int KeyLength = 32;
    private const int TextLengthMax = 44;

    public static bool IsValid(string? text) => Decode(text) is not null;

    /// <summary>The 32 bytes, or null when <paramref name="text"/> is not their one spelling.</summary>
    public static byte[]? Decode(string? text)
    {
        if (text is null || text.Length is < KeyLength or > TextLengthMax)
            return null;
        var bytes = new byte[TextLengthMax];
        return Base58Text.TryDecode(text, bytes, out var length)
            && length == KeyLength && Base58.Bitcoin.Encode(bytes.AsSpan(0, KeyLength)) == text
                ? bytes[..KeyLength]
                : null;
    }
}

internal sealed class IdentityOptionsValidation : IValidateOptions<IdentityOptions>
{
    public ValidateOptionsResult Validate(string? name, IdentityOptions options)
    {
        var problems = new List<string>();
        Within(problems, nameof(options.AccessTokenMinutes), options.AccessTokenMinutes, 60);
        Within(problems, nameof(options.RefreshTokenDays), options.RefreshTokenDays, 90);
        Within(problems, nameof(options.AttemptsPerMinute), options.AttemptsPerMinute, 100_000);
        if (string.IsNullOrWhiteSpace(options.ChainId))
            problems.Add($"{IdentityOptions.Section}:ChainId is empty; set the Solana cluster, for example localnet.");
        problems.AddRange(options.Domains
            .Where(domain => Uri.CheckHostName(domain.Split(':')[0]) == UriHostNameType.Unknown && !domain.StartsWith('['))
            .Select(domain => $"{IdentityOptions.Section}:Domains holds '{domain}', which is no host[:port]."));
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private static void Within(List<string> problems, string key, int value, int max)
    {
        if (value < 1 || value > max)
            problems.Add($"{IdentityOptions.Section}:{key} is {value}; it must be 1 to {max}.");
    }
}
