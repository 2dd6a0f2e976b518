using System.Globalization;
using System.Threading.RateLimiting;
using Lumora.Api.Participants;
using Lumora.Chain.Cryptography;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Kernel;
using Lumora.Projections.Participants;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Lumora.Api.Identity;

/// <summary>Names of authorization policies, for <c>RequireAuthorization</c>.</summary>
internal static class Policies
{
    /// <summary>A registered node, by its signature.</summary>
    public const string Node = "node";

    /// <summary>A steward.</summary>
    public const string Steward = "steward";
}

/// <summary>
/// Who calls, and whether they may: Sign-In With Solana, access tokens, node signatures. Denied by default: an
/// endpoint that says nothing requires a signed-in caller.
/// </summary>
internal static class IdentityModule
{
    private const string SelectingScheme = "Lumora";
    private const string RateLimit = "sign-in";

    public static WebApplicationBuilder AddIdentity(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<IdentityOptions>().BindConfiguration(IdentityOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<IdentityOptions>, IdentityOptionsValidation>();
        services.AddSingleton(Stewards.From(builder.Configuration, builder.Environment));
        services.TryAddSingleton<ICurve25519, Curve25519>();
        services.AddSingleton<SubjectKeys>().AddSingleton<WalletIndex>()
            .AddSingleton<ParticipantDirectory>().AddSingleton<ParticipantRegistry>().AddSingleton<SubjectErasure>();
        services.AddSingleton<SignInDomains>().AddSingleton<SignInNonces>().AddSingleton<AccessTokens>()
            .AddSingleton<RefreshTokens>().AddSingleton<SignIn>().AddSingleton<ReplayGuard>();
        services.TryAddSingleton<INodeDirectory, NoNodes>();
        services.AddHostedService<ErasureSweep>().AddHostedService<StewardGrants>().AddHostedService<SignInSweep>();
        AddAuthentication(services);
        services.AddRateLimiter(limiter => limiter.OnRejected = RefuseAsync)
            .AddOptions<RateLimiterOptions>()
            .Configure<IOptions<IdentityOptions>>((limiter, options) => limiter.AddPolicy(
                RateLimit, context => Limit(context, options.Value.AttemptsPerMinute)));
        return builder;
    }

    /// <summary>Maps the sign-in endpoints; before all that must be limited.</summary>
    public static WebApplication MapIdentity(this WebApplication app)
    {
        app.UseRateLimiter();
        AuthEndpoints.Map(app.MapGroup("/v1/auth").AllowAnonymous().RequireRateLimiting(RateLimit));
        return app;
    }

    private static void AddAuthentication(IServiceCollection services)
    {
        services.AddAuthentication(SelectingScheme)
            .AddPolicyScheme(SelectingScheme, "Participant or node", options => options.ForwardDefaultSelector =
                context => context.Request.Headers.ContainsKey(HttpMessageSignature.InputField)
                    ? NodeAuthentication.SchemeName
                    : JwtBearerDefaults.AuthenticationScheme)
            .AddJwtBearer()
            .AddScheme<AuthenticationSchemeOptions, NodeAuthentication>(NodeAuthentication.SchemeName, null);
        services.AddOptions<JwtBearerOptions>(JwtBearerDefaults.AuthenticationScheme)
            .Configure<AccessTokens, TimeProvider>(BearerAuthentication.Configure);
        services.AddAuthorizationBuilder()
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build())
            .AddPolicy(Policies.Node, policy => policy
                .AddAuthenticationSchemes(NodeAuthentication.SchemeName).RequireRole(Actors.NameOf(Roles.Node)))
            .AddPolicy(Policies.Steward, policy => policy.RequireRole(Actors.NameOf(Roles.Steward)));
    }

    // By address, kept in memory only and never written (overview.md, rule 5).
    private static RateLimitPartition<string> Limit(HttpContext context, int perMinute) =>
        RateLimitPartition.GetTokenBucketLimiter(
            context.Connection.RemoteIpAddress?.ToString() ?? "unknown",
            _ => new TokenBucketRateLimiterOptions
            {
                TokenLimit = perMinute,
                TokensPerPeriod = perMinute,
                ReplenishmentPeriod = TimeSpan.FromMinutes(1),
                QueueLimit = 0,
            });

    private static async ValueTask RefuseAsync(OnRejectedContext context, CancellationToken cancellationToken)
    {
        var wait = context.Lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? after : TimeSpan.FromMinutes(1);
        context.HttpContext.Response.Headers.RetryAfter =
            Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        await AuthProblems.From(new Rejection("busy", "Too many attempts from this address; wait."))
            .ExecuteAsync(context.HttpContext);
    }
}
