namespace Lumora.Integration.Tests.Infrastructure;

/// <summary>
/// A running host for the tests of one class (<c>IClassFixture&lt;AppFixture&gt;</c>): its own database and home.
/// </summary>
public class AppFixture(TestDatabases databases) : IAsyncLifetime
{
    private LumoraApp? _app;

    /// <summary>The host.</summary>
    public LumoraApp App => _app ?? throw new InvalidOperationException("The fixture has not started.");

    /// <summary>Talks to it over real HTTP.</summary>
    public HttpClient Client { get; private set; } = null!;

    /// <summary>Extra settings; override in a derived fixture.</summary>
    protected virtual IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string>();

    public async ValueTask InitializeAsync()
    {
        _app = new LumoraApp(await databases.CreateAsync(), settings: Settings);
        await _app.StartAsync();
        Client = _app.CreateClient();
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (_app is not null)
            await _app.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
