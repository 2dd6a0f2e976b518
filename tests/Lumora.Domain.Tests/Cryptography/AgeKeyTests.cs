using System.Security.Cryptography;
using CsCheck;
using Lumora.Domain.Cryptography;
using static Lumora.Domain.Tests.Cryptography.AgeFixture;

namespace Lumora.Domain.Tests.Cryptography;

public sealed class AgeKeyTests
{
    [Fact]
    public void The_identity_of_the_specification_has_the_recipient_of_the_specification()
    {
        Assert.Equal(RecipientText, Identity.Recipient(Curve).Text);
        Assert.Equal(IdentityText, Identity.ToSecretText());
        Assert.All(Identity.Secret.ToArray(), octet => Assert.Equal(0x42, octet));
    }

    [Fact]
    public void Keys_are_read_back_from_their_text() => Gen.Byte.Array[32].Sample(bytes =>
    {
        var identity = AgeIdentity.Generate(bytes.CopyTo);
        var recipient = identity.Recipient(Curve);
        return AgeIdentity.Parse(identity.ToSecretText()).Secret.SequenceEqual(bytes)
            && AgeRecipient.Parse(recipient.Text) == recipient;
    }, iter: 100);

    [Fact]
    public void No_text_of_an_identity_leaks_by_accident() =>
        Assert.DoesNotContain("KEY", Identity.ToString(), StringComparison.OrdinalIgnoreCase);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("age1")]
    [InlineData("age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujw")]
    [InlineData("age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwl")]
    [InlineData("AGE1ZVKYG2LQZRAA2LNJVQEJ32NKUU0UES2S82HZRYE869XEEXVN73EQUNUJWJ")]
    [InlineData("Age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj")]
    [InlineData("age1bvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj")]
    // The Kelvin sign is a small k in lower case.
    [InlineData("age1zv\u212Ayg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj")]
    [InlineData("AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX")]
    [InlineData("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGkN7Uf1fWl6")]
    public void What_is_no_recipient_is_refused_with_a_reason(string? text)
    {
        Assert.False(AgeRecipient.TryParse(text, out _, out var fault));
        Assert.EndsWith(".", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_wrong_letter_breaks_the_checksum()
    {
        for (var i = 4; i < RecipientText.Length; i++)
        {
            var letters = RecipientText.ToCharArray();
            letters[i] = letters[i] == 'q' ? 'p' : 'q';
            Assert.False(AgeRecipient.TryParse(new string(letters), out _, out _));
        }
    }

    [Fact]
    public void A_bad_identity_is_not_repeated_in_the_message()
    {
        var broken = IdentityText[..^1] + "Q";
        var refusal = Assert.Throws<FormatException>(() => AgeIdentity.Parse(broken));
        Assert.DoesNotContain("GFPYYS", refusal.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Both_sides_of_an_agreement_get_the_same_secret()
    {
        var one = RandomNumberGenerator.GetBytes(32);
        var other = RandomNumberGenerator.GetBytes(32);
        Assert.Equal(
            Curve.X25519Agree(one, Curve.X25519PublicKey(other)), Curve.X25519Agree(other, Curve.X25519PublicKey(one)));
    }
}
