using Lumora.Domain.Participants;

namespace Lumora.Domain.Tests.Participants;

public sealed class SignInMessageTests
{
    private static readonly DateTimeOffset Now = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly SignInPolicy Policy = new(["lumora.example", "127.0.0.1:5080"], "localnet");

    private const string Full =
        "lumora.example wants you to sign in with your Solana account:\n" +
        "GwAF45zjfyGzUbd3i3hXxzGeuchzEZXwpRYHZM5912F1\n\n" +
        "Sign in to Lumora.\n\n" +
        "URI: https://lumora.example/\nVersion: 1\nChain ID: localnet\nNonce: 32891757abc\n" +
        "Issued At: 2026-05-01T11:59:30.000Z\nExpiration Time: 2026-05-01T12:05:00Z\n" +
        "Not Before: 2026-05-01T11:59:00Z\nRequest ID: r1\nResources:\n- https://a.example\n- ipfs://b";

    [Fact]
    public void A_full_message_is_read_and_written_back()
    {
        Assert.True(SignInMessage.TryParse(Full, out var message));
        Assert.Equal(
            ("lumora.example", "GwAF45zjfyGzUbd3i3hXxzGeuchzEZXwpRYHZM5912F1", "Sign in to Lumora.", "32891757abc", 2),
            (message.Domain, message.Address, message.Statement, message.Nonce, message.Resources.Count));
        Assert.Equal(Full, message.ToString());
        Assert.Null(Policy.Refusal(message, Now));
    }

    [Theory]
    [InlineData("a wants you to sign in with your Solana account:\nb")]
    [InlineData("a wants you to sign in with your Solana account:\nb\n\nHello")]
    [InlineData("a wants you to sign in with your Solana account:\nb\n\nNonce: 1")]
    [InlineData("a wants you to sign in with your Solana account:\nb\n\nHello\n\nNonce: 1")]
    [InlineData("a wants you to sign in with your Solana account:\nb\n\nHello\n\nResources:\n- x")]
    public void Short_messages_are_read(string text)
    {
        Assert.True(SignInMessage.TryParse(text, out var message));
        Assert.Equal(text, message.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("hello")]
    [InlineData("a wants you to sign in with your Ethereum account:\nb")]
    [InlineData("a wants you to sign in with your Solana account:")]
    [InlineData("a wants you to sign in with your Solana account:\nb\n")]
    [InlineData("a wants you to sign in with your Solana account:\nb\nNonce: 1")]
    [InlineData("a wants you to sign in with your Solana account:\nb\n\nNonce: 1\nNonce: 2")]
    [InlineData("a wants you to sign in with your Solana account:\nb\n\nVersion: 1\nURI: x")]
    [InlineData("a wants you to sign in with your Solana account:\nb\n\nNonce: 1\nColour: red")]
    [InlineData("a wants you to sign in with your Solana account:\nb\n\nNonce: 1\n")]
    [InlineData("a wants you to sign in with your Solana account:\nb\n\nOne\nTwo\n\nNonce: 1")]
    [InlineData("a wants you to sign in with your Solana account:\r\nb")]
    public void What_would_be_written_differently_is_not_read(string? text) =>
        Assert.False(SignInMessage.TryParse(text, out _));

    [Theory]
    [InlineData("lumora.example wants", "evil.example wants", "wrong_domain")]
    [InlineData("https://lumora.example/", "https://evil.example/", "wrong_uri")]
    [InlineData("https://lumora.example/", "https://lumora.example@evil.example/", "wrong_uri")]
    [InlineData("https://lumora.example/", "javascript:alert(1)", "wrong_uri")]
    [InlineData("Version: 1", "Version: 2", "wrong_version")]
    [InlineData("Chain ID: localnet", "Chain ID: mainnet", "wrong_chain")]
    [InlineData("Expiration Time: 2026-05-01T12:05:00Z", "Expiration Time: 2026-05-01T12:00:00Z", "message_expired")]
    [InlineData("Issued At: 2026-05-01T11:59:30.000Z", "Issued At: 2026-05-01T11:49:59Z", "message_expired")]
    [InlineData("Issued At: 2026-05-01T11:59:30.000Z", "Issued At: 2026-05-01T12:01:01Z", "message_not_yet_valid")]
    [InlineData("Not Before: 2026-05-01T11:59:00Z", "Not Before: 2026-05-01T12:00:01Z", "message_not_yet_valid")]
    [InlineData("Expiration Time: 2026-05-01T12:05:00Z\n", "", "message_incomplete")]
    [InlineData("Issued At: 2026-05-01T11:59:30.000Z\n", "", "message_incomplete")]
    [InlineData("Issued At: 2026-05-01T11:59:30.000Z", "Issued At: 2026-05-01T11:59:30.000", "message_incomplete")]
    [InlineData("Issued At: 2026-05-01T11:59:30.000Z", "Issued At: yesterday at noon, Zulu-Z", "message_incomplete")]
    public void A_message_for_elsewhere_or_another_time_is_refused(string from, string to, string code)
    {
        Assert.True(SignInMessage.TryParse(Full.Replace(from, to, StringComparison.Ordinal), out var message));
        Assert.Equal(code, Policy.Refusal(message, Now)?.Code);
    }
}
