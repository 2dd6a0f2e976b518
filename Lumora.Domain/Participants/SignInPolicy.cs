using Lumora.Domain.Kernel;

namespace Lumora.Domain.Participants;

/// <summary>What this installation accepts in a sign-in message.</summary>
/// <param name="Domains">Host and port under which people reach it; never taken from a request.</param>
/// <param name="ChainId">Its Solana cluster.</param>
public sealed record SignInPolicy(IReadOnlyList<string> Domains, string ChainId)
{
    /// <summary>How old a message may be.</summary>
    public static readonly TimeSpan AgeMax = TimeSpan.FromMinutes(10);

    /// <summary>How far the wallet's clock may run ahead.</summary>
    public static readonly TimeSpan SkewMax = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Null when <paramref name="message"/> is for this installation and fresh; else <c>wrong_domain</c>,
    /// <c>wrong_uri</c>, <c>wrong_version</c>, <c>wrong_chain</c>, <c>message_expired</c> or <c>message_incomplete</c>.
    /// The nonce, the address and the signature are checked by who holds the keys.
    /// </summary>
    public Rejection? Refusal(SignInMessage message, DateTimeOffset now)
    {
        if (!Domains.Contains(message.Domain, StringComparer.OrdinalIgnoreCase))
            return new Rejection("wrong_domain", $"The message is for another domain; here it is {Domains[0]}.", "message");
        if (!Uri.TryCreate(message.Uri, UriKind.Absolute, out var uri)
            || uri.Scheme is not ("http" or "https")
            || uri.UserInfo.Length > 0
            || !string.Equals(uri.Authority, message.Domain, StringComparison.OrdinalIgnoreCase))
            return new Rejection("wrong_uri", "The message's URI must be an http(s) address of its domain.", "message");
        if (message.Version != "1")
            return new Rejection("wrong_version", "The message's version must be 1.", "message");
        if (message.ChainId != ChainId)
            return new Rejection("wrong_chain", $"The message's chain id must be {ChainId}.", "message");
        return RefusalOfTimes(message, now);
    }

    private static Rejection? RefusalOfTimes(SignInMessage message, DateTimeOffset now)
    {
        if (SignInMessage.ReadTime(message.IssuedAt) is not { } issued
            || SignInMessage.ReadTime(message.ExpirationTime) is not { } expires
            || (message.NotBefore is not null && SignInMessage.ReadTime(message.NotBefore) is null))
            return new Rejection(
                "message_incomplete", "The message needs Issued At and Expiration Time, in ISO 8601 with offset.", "message");
        if (expires <= now || issued < now - AgeMax)
            return new Rejection("message_expired", "The message has expired: ask for a new nonce and sign again.", "message");
        if (issued > now + SkewMax || SignInMessage.ReadTime(message.NotBefore) > now)
            return new Rejection("message_not_yet_valid", "The message is not valid yet: is the clock right?", "message");
        return null;
    }
}
