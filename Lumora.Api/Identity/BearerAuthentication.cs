using Lumora.Domain.Kernel;
using Lumora.Projections.Participants;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.IdentityModel.Tokens;

namespace Lumora.Api.Identity;

/// <summary>Knows a participant by an access token. Roles are those of now, not those of the token's making.</summary>
internal static class BearerAuthentication
{
    public static void Configure(JwtBearerOptions options, AccessTokens tokens, TimeProvider clock)
    {
        options.MapInboundClaims = false;
        options.TokenValidationParameters = tokens.Validation(clock);
        options.Events = new JwtBearerEvents
        {
            OnTokenValidated = RefreshRolesAsync,
            OnChallenge = ChallengeAsync,
            OnForbidden = context => AuthProblems.ForbidAsync(context.HttpContext),
        };
    }

    private static async Task RefreshRolesAsync(TokenValidatedContext context)
    {
        var id = context.Principal?.ToActorOrNull()?.Id;
        var directory = context.HttpContext.RequestServices.GetRequiredService<ParticipantDirectory>();
        if (id is not null
            && await directory.FindAsync(id, context.HttpContext.RequestAborted) is { ErasedAt: null } participant)
            context.Principal = Actors.Principal(id, participant.Roles, JwtBearerDefaults.AuthenticationScheme);
        else
            context.Fail("The participant is no more.");
    }

    private static Task ChallengeAsync(JwtBearerChallengeContext context)
    {
        context.HandleResponse();
        return AuthProblems.ChallengeAsync(context.HttpContext, JwtBearerDefaults.AuthenticationScheme, context.AuthenticateFailure switch
        {
            null => new Rejection("unauthenticated", "Sign in, and send the access token in the Authorization header."),
            SecurityTokenExpiredException => new Rejection("token_expired", "The access token has expired: refresh it."),
            _ => new Rejection("token_invalid", "The access token is not valid here: sign in again."),
        });
    }
}
