using Lumora.Api.Embedded;
using Lumora.Chain.Solana;
using Microsoft.Extensions.Options;

namespace Lumora.Api.Solana;

/// <summary>The connection to Solana. Registered before the workers that use it, so that it stops after them.</summary>
internal static class SolanaModule
{
    /// <summary>Adds options, connection, and the local Solana where none is configured.</summary>
    public static WebApplicationBuilder AddSolana(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<IValidateOptions<SolanaOptions>, SolanaOptionsRule>();
        builder.Services.AddOptions<SolanaOptions>().BindConfiguration("Solana").ValidateOnStart();
        builder.Services.AddSingleton<SolanaConnection>();
        builder.Services.AddHttpClient(EmbeddedSolana.HttpClientName, client => client.Timeout = Timeout.InfiniteTimeSpan);
        builder.Services.AddHostedService<EmbeddedSolana>();
        builder.Services.AddHealthChecks().AddCheck<SolanaHealth>("solana", tags: ["ready"]);
        return builder;
    }

    private sealed class SolanaOptionsRule : IValidateOptions<SolanaOptions>
    {
        public ValidateOptionsResult Validate(string? name, SolanaOptions options) =>
            options.Fault() is { } fault ? ValidateOptionsResult.Fail(fault) : ValidateOptionsResult.Success;
    }
}
