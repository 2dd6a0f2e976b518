using System.Security.Cryptography;
using Lumora.Domain.Datasets;
using Lumora.Domain.Kernel;
using Lumora.Domain.Purchases;

namespace Lumora.Domain.Tests.Purchases;

public sealed class SignedTokenTests
{
    private static readonly byte[] Key = SHA256.HashData("key"u8);

    private static readonly Quote Quote = new(
        "quote_1", "purchase_1", "participant_buyer", "dataset_1", new SemVer(1, 2, 3), "participant_seller",
        new Amount(long.MaxValue), PurchaseSplit.Default, 259_200, new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public void A_quote_comes_back_as_it_was_signed() => Assert.Equal(Quote, Quote.Open(Quote.Seal(Key), Key));

    [Fact]
    public void A_quote_with_any_character_changed_is_not_ours()
    {
        var token = Quote.Seal(Key);
        for (var i = 0; i < token.Length; i++)
        {
            var changed = token[..i] + (token[i] == 'A' ? 'B' : 'A') + token[(i + 1)..];
            Assert.True(Quote.Open(changed, Key) is null, $"character {i}");
        }
    }

    [Theory]
    [InlineData("\n")]
    [InlineData(" ")]
    [InlineData("=")]
    public void A_token_has_one_spelling(string more)
    {
        var token = Quote.Seal(Key);
        Assert.Null(Quote.Open(token + more, Key));
        Assert.Null(Quote.Open(token.Replace(".", $"{more}.", StringComparison.Ordinal), Key));
    }

    [Fact]
    public void A_quote_is_no_grant_and_another_hosts_key_opens_nothing()
    {
        Assert.Null(DeliveryGrant.Open(Quote.Seal(Key), Key));
        Assert.Null(Quote.Open(Quote.Seal(Key), SHA256.HashData("other"u8)));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("a.b.c")]
    [InlineData("###.###")]
    public void Nonsense_is_not_ours(string? token) => Assert.Null(Quote.Open(token, Key));
}
