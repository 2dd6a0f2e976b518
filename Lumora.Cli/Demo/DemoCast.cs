using Lumora.Chain.Solana;
using Lumora.Cli.Client;

namespace Lumora.Cli.Demo;

/// <summary>Who takes part: a steward, two providers with a node each, and a consumer, each with a wallet in a file.</summary>
internal sealed class DemoCast : IDisposable
{
    private static readonly string[] ProviderNames = ["anna", "boris"];

    private readonly DemoOptions _options;
    private readonly string _folder;

    public DemoCast(DemoOptions options)
    {
        _options = options;
        _folder = options.Home.Folder("demo");
        Steward = Client(KeypairFile.Load(StewardKey(options)));
        Providers = [.. ProviderNames.Select(name => new DemoProvider(
            name, Client(Wallet(name)), options.Home.Folder("demo", $"node-{name}")))];
        Consumer = Client(Wallet("carla"));
    }

    /// <summary>Governs: proposes the collection, publishes the dataset, closes the epoch.</summary>
    public LumoraClient Steward { get; }

    /// <summary>Owners of the nodes.</summary>
    public IReadOnlyList<DemoProvider> Providers { get; }

    /// <summary>Buys the dataset.</summary>
    public LumoraClient Consumer { get; }

    /// <summary>Files of the demo's own.</summary>
    public string Folder => _folder;

    /// <summary>Signs everybody in, so that their ids are known.</summary>
    public async Task SignInAsync(CancellationToken cancellation)
    {
        await Steward.SignInAsync(cancellation);
        await Consumer.SignInAsync(cancellation);
        foreach (var provider in Providers)
            await provider.Client.SignInAsync(cancellation);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Steward.Dispose();
        Consumer.Dispose();
        foreach (var provider in Providers)
            provider.Client.Dispose();
    }

    private static string StewardKey(DemoOptions options)
    {
        var file = Path.Combine(options.Home.Keys, "steward.json");
        return File.Exists(file)
            ? file
            : throw new DemoFailedException(
                $"There is no {file}. Start the host first (dotnet run --project Lumora.Api); when its state lies "
                + "elsewhere, name the folder with --home.");
    }

    private Keypair Wallet(string name) => KeypairFile.LoadOrCreate(Path.Combine(_folder, $"wallet-{name}.json"));

    private LumoraClient Client(Keypair wallet) => new(
        new HttpClient { BaseAddress = _options.Server, Timeout = TimeSpan.FromSeconds(100) }, wallet, _options.Patience);
}

/// <summary>A provider of the demo.</summary>
/// <param name="Name">For the story.</param>
/// <param name="Client">Their conversation with the host.</param>
/// <param name="NodeHome">The state folder of their node.</param>
internal sealed record DemoProvider(string Name, LumoraClient Client, string NodeHome);
