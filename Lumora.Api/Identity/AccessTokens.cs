using System.Security.Cryptography;
using Lumora.Domain.Participants;
using Lumora.Projections.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Lumora.Api.Identity;

/// <summary>Short-lived access tokens: JWT with HMAC-SHA-256 under a key file that only this installation has.</summary>
internal sealed class AccessTokens(LumoraHome home, IOptions<IdentityOptions> options)
{
    private const string Issuer = "lumora";
    private const string Audience = "lumora-api";

    private readonly SymmetricSecurityKey _key = new(SecretFile.ReadOrCreate(
        Path.Combine(home.Keys, "access-token.key"), () => RandomNumberGenerator.GetBytes(64)));

    /// <summary>A token for <paramref name="participant"/>, and until when it holds.</summary>
    public (string Token, DateTimeOffset ExpiresAt) Issue(Participant participant, DateTimeOffset now)
    {
        var expires = now.AddMinutes(options.Value.AccessTokenMinutes);
        var token = new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
        {
            Issuer = Issuer,
            Audience = Audience,
            IssuedAt = now.UtcDateTime,
            NotBefore = now.UtcDateTime,
            Expires = expires.UtcDateTime,
            Claims = new Dictionary<string, object>(StringComparer.Ordinal)
            {
                [Actors.SubjectClaim] = participant.ParticipantId,
                [Actors.RoleClaim] = Actors.NamesOf(participant.Roles),
                [JwtRegisteredClaimNames.Jti] = Guid.NewGuid().ToString("N"),
            },
            SigningCredentials = new SigningCredentials(_key, SecurityAlgorithms.HmacSha256),
        });
        return (token, expires);
    }

    /// <summary>What a token must be: ours, for us, and within its time by <paramref name="clock"/>.</summary>
    public TokenValidationParameters Validation(TimeProvider clock) => new()
    {
        ValidIssuer = Issuer,
        ValidAudience = Audience,
        IssuerSigningKey = _key,
        ValidAlgorithms = [SecurityAlgorithms.HmacSha256],
        NameClaimType = Actors.SubjectClaim,
        RoleClaimType = Actors.RoleClaim,
        // A minute of tolerance at the start only; none at the end.
        LifetimeValidator = (from, to, _, _) =>
            from <= clock.GetUtcNow().UtcDateTime.AddMinutes(1)
            && (to > clock.GetUtcNow().UtcDateTime ? true : throw new SecurityTokenExpiredException()),
    };
}
