namespace Lumora.Chain.Solana;

/// <summary>Where the chain is; bound to <c>Solana:…</c>.</summary>
public sealed class SolanaOptions
{
    /// <summary>
    /// RPC servers (http or https), several separated by commas. Empty: a local Solana is started
    /// (<see cref="Embedded"/>).
    /// </summary>
    public string Endpoints { get; set; } = "";

    /// <summary>Start a local Solana when there are no endpoints. Default true.</summary>
    public bool Embedded { get; set; } = true;

    /// <summary>The cluster's genesis hash; when set, servers of any other cluster are refused.</summary>
    public string? GenesisHash { get; set; }

    /// <summary>
    /// Address of the LMR token (base58) on the cluster of <see cref="Endpoints"/>; without it no deposits are read.
    /// A local Solana makes a token of its own.
    /// </summary>
    public string? Mint { get; set; }

    /// <summary>Limit of one RPC call in seconds, 1 to 120. Default 10.</summary>
    public int TimeoutSeconds { get; set; } = 10;

    /// <summary>Slot length of the local Solana in milliseconds, 5 to 60,000. Default 400.</summary>
    public int SlotMs { get; set; } = 400;

    /// <summary>Slots until the local Solana finalizes a block, 2 to 150. Default 32.</summary>
    public int FinalitySlots { get; set; } = 32;

    /// <summary>Where the local Solana's packages are installed; by default a folder of the home.</summary>
    public string? DevstackFolder { get; set; }

    /// <summary>The servers as addresses.</summary>
    public IReadOnlyList<Uri> Servers =>
    [
        .. Endpoints.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(text => new Uri(text, UriKind.Absolute)),
    ];

    /// <summary>What is wrong with the settings, naming the key; null when nothing is.</summary>
    public string? Fault()
    {
        var texts = Endpoints.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (texts.Any(text => !Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https")))
            return "Solana:Endpoints must be http or https addresses, separated by commas.";
        if (!string.IsNullOrEmpty(Mint) && (texts.Length == 0 || !PublicKey.TryParse(Mint, out _)))
            return "Solana:Mint must be the base58 address of a token on the cluster of Solana:Endpoints.";
        if (TimeoutSeconds is < 1 or > 120)
            return "Solana:TimeoutSeconds must be 1 to 120.";
        if (SlotMs is < 5 or > 60_000)
            return "Solana:SlotMs must be 5 to 60000.";
        return FinalitySlots is < 2 or > 150 ? "Solana:FinalitySlots must be 2 to 150." : null;
    }
}
