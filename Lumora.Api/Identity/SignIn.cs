using Lumora.Chain.Cryptography;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Kernel;
using Lumora.Domain.Participants;
using Lumora.Projections.Participants;

namespace Lumora.Api.Identity;

/// <summary>What a client needs to write the message that a wallet signs.</summary>
/// <param name="Nonce">For one sign-in.</param>
/// <param name="Domain">The domain to name.</param>
/// <param name="ChainId">The chain id to name.</param>
/// <param name="ExpiresAt">Until when the nonce holds.</param>
public sealed record NonceAnswer(string Nonce, string Domain, string ChainId, DateTimeOffset ExpiresAt);

/// <summary>A signed sign-in message.</summary>
/// <param name="Message">The message's text, exactly as signed.</param>
/// <param name="Signature">64 bytes of Ed25519 in base58 or base64.</param>
public sealed record SignInRequest(string Message, string Signature);

/// <summary>A refresh token, to use or to give up.</summary>
/// <param name="RefreshToken">As it was given.</param>
public sealed record RefreshRequest(string RefreshToken);

/// <summary>What a signed-in client holds.</summary>
/// <param name="AccessToken">For the <c>Authorization: Bearer</c> header.</param>
/// <param name="ExpiresAt">Until when the access token holds.</param>
/// <param name="RefreshToken">For one use.</param>
/// <param name="ParticipantId">Who is signed in.</param>
/// <param name="Roles">What they may do now.</param>
public sealed record SignedIn(
    string AccessToken, DateTimeOffset ExpiresAt, string RefreshToken, string ParticipantId, IReadOnlyList<string> Roles);

/// <summary>Sign-In With Solana, from the message to the tokens.</summary>
internal sealed class SignIn(
    SignInDomains domains,
    SignInNonces nonces,
    AccessTokens accessTokens,
    RefreshTokens refreshTokens,
    ParticipantRegistry registry,
    ParticipantDirectory directory,
    ICurve25519 curve,
    TimeProvider clock)
{
    private const int SignatureLength = 64;

    /// <summary>A nonce and what else the message needs.</summary>
    public NonceAnswer Nonce()
    {
        var (nonce, expires) = nonces.Issue(clock.Now());
        var policy = domains.Policy;
        return new NonceAnswer(nonce, policy.Domains[0], policy.ChainId, expires);
    }

    /// <summary>Everything is checked before anything is stored; the nonce is used up last.</summary>
    public async Task<Result<SignedIn>> WithWalletAsync(SignInRequest request, CancellationToken cancellationToken)
    {
        var now = clock.Now();
        if (!SignInMessage.TryParse(request.Message, out var message))
            return new Rejection("message_malformed", "This is no Sign-In With Solana message in its canonical form.", "message");
        if (domains.Policy.Refusal(message, now) is { } refusal)
            return refusal;
        if (nonces.ExpiryOf(message.Nonce) is not { } nonceExpiry)
            return new Rejection("nonce_unknown", "The message's nonce was not given out here.", "message");
        if (nonceExpiry <= now)
            return new Rejection("nonce_expired", "The message's nonce has expired: ask for a new one.", "message");
        if (Wallet.Decode(message.Address) is not { } key)
            return new Rejection("wrong_address", "The message's address is no Solana address.", "message");
        if (Signature(request.Signature) is not { } signature)
            return new Rejection("signature_malformed", "The signature is not 64 bytes in base58 or base64.", "signature");
        if (!curve.Ed25519Verify(key, System.Text.Encoding.UTF8.GetBytes(request.Message), signature))
            return new Rejection("signature_wrong", "The signature is not that of the message's address.", "signature");
        if (!await nonces.ConsumeAsync(message.Nonce!, nonceExpiry, cancellationToken))
            return new Rejection("nonce_used", "This nonce was used before: ask for a new one and sign again.", "message");

        var participant = await registry.EnsureAsync(message.Address, actor: null, cancellationToken);
        return Answer(
            participant, await refreshTokens.IssueAsync(participant.ParticipantId, now, cancellationToken), now);
    }

    /// <summary>New tokens for a refresh token, with the roles of now.</summary>
    public async Task<Result<SignedIn>> WithRefreshTokenAsync(RefreshRequest request, CancellationToken cancellationToken)
    {
        var now = clock.Now();
        var rotated = await refreshTokens.RotateAsync(request.RefreshToken, now, cancellationToken);
        if (rotated.Rejection is { } refusal)
            return refusal;
        var (participantId, token) = rotated.Value;
        return await directory.FindAsync(participantId, cancellationToken) is { ErasedAt: null } participant
            ? Answer(participant, token, now)
            : new Rejection("refresh_token_invalid", "The participant is no more.");
    }

    /// <summary>Voids the sign-in that the token descends from.</summary>
    public Task SignOutAsync(RefreshRequest request, CancellationToken cancellationToken) =>
        refreshTokens.RevokeAsync(request.RefreshToken, cancellationToken);

    private SignedIn Answer(Participant participant, string refreshToken, DateTimeOffset now)
    {
        var (token, expires) = accessTokens.Issue(participant, now);
        return new SignedIn(token, expires, refreshToken, participant.ParticipantId, Actors.NamesOf(participant.Roles));
    }

    /// <summary>64 bytes are 88 characters of base64 with padding, which base58 never has.</summary>
    private static byte[]? Signature(string text)
    {
        var bytes = new byte[96];
        if (text.Length is < SignatureLength or > 88)
            return null;
        var read = text.EndsWith('=')
            ? Convert.TryFromBase64String(text, bytes, out var length)
            : Base58Text.TryDecode(text, bytes, out length);
        return read && length == SignatureLength ? bytes[..SignatureLength] : null;
    }
}
