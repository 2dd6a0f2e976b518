using System.Security.Cryptography;
using System.Text;
using Lumora.Domain.Cryptography;
using static Lumora.Domain.Tests.Cryptography.AgeFixture;

namespace Lumora.Domain.Tests.Cryptography;

public sealed class AgeHeaderTests
{
    private static readonly string[] Stanza = Header().Split('\n')[1..3];

    [Fact]
    public void The_builder_of_these_tests_writes_good_headers() =>
        Assert.Equal(FileKey, AgeHeader.Parse(HeaderOf(Stanza)).Unwrap([Identity], Curve));

    [Fact]
    public void Unknown_stanzas_are_passed_over()
    {
        var header = HeaderOf(["-> example.com/enigma a b", new string('A', 64), "", .. Stanza]);
        Assert.Equal(FileKey, AgeHeader.Parse(header).Unwrap([Identity], Curve));
    }

    [Fact]
    public void A_wrong_mac_is_called_that()
    {
        // The added stanza parses and the key unwraps, but the MAC is of the shorter header.
        var mac = Encoding.ASCII.GetString(HeaderOf(Stanza)).Split('\n')[^2];
        var header = $"age-encryption.org/v1\n{Stanza[0]}\n{Stanza[1]}\n-> grease\n\n{mac}\n";
        var refusal = Refused(FileOf(Encoding.ASCII.GetBytes(header), PayloadOf(true, Bytes(3))));
        Assert.Equal(AgeFault.BadMac, refusal.Fault);
    }

    public static TheoryData<string, string> BadHeaders => new()
    {
        { "another version", "age-encryption.org/v2\n" + Rest() },
        { "a carriage return", "age-encryption.org/v1\r\n" + Rest() },
        { "no stanza", "age-encryption.org/v1\n" + Mac() },
        { "two spaces between arguments", "age-encryption.org/v1\n" + Rest().Replace("X25519 ", "X25519  ") },
        { "no argument", "age-encryption.org/v1\n-> \n\n" + Mac() },
        { "no space after the arrow", "age-encryption.org/v1\n->X25519\n\n" + Mac() },
        { "a control character in an argument", "age-encryption.org/v1\n-> a\tb\n\n" + Mac() },
        { "a letter beyond ASCII in an argument", "age-encryption.org/v1\n-> é\n\n" + Mac() },
        { "a body line of 65 columns", $"age-encryption.org/v1\n-> x\n{new string('A', 65)}\n\n" + Mac() },
        { "a body without its short last line", $"age-encryption.org/v1\n-> x\n{new string('A', 64)}\n" + Mac() },
        { "padding in a body", "age-encryption.org/v1\n-> x\nAA==\n" + Mac() },
        { "bits beyond the end of a body", "age-encryption.org/v1\n-> x\nAB\n" + Mac() },
        { "white space in a body", "age-encryption.org/v1\n-> x\nAA A\n" + Mac() },
        { "a body that is no base64 length", "age-encryption.org/v1\n-> x\nAAAAA\n" + Mac() },
        { "a MAC of 31 bytes", "age-encryption.org/v1\n-> x\n\n--- " + new string('A', 42) + "\n" },
        { "bits beyond the end of the MAC", "age-encryption.org/v1\n-> x\n\n--- " + new string('A', 42) + "B\n" },
        { "a padded MAC", "age-encryption.org/v1\n-> x\n\n--- " + new string('A', 43) + "=\n" },
        { "no space before the MAC", "age-encryption.org/v1\n-> x\n\n---" + new string('A', 43) + "\n" },
        { "a stray line", "age-encryption.org/v1\n-> x\n\nhello\n" + Mac() },
        { "an end before the MAC", "age-encryption.org/v1\n-> x\n\n" },
        { "no age file at all", "PK\u0003\u0004 something else\n" },
        { "a header without end", "age-encryption.org/v1\n-> x\n" + new string('A', AgeHeader.LengthMax) },
    };

    [Theory]
    [MemberData(nameof(BadHeaders))]
    public void A_header_against_the_grammar_is_refused(string what, string header)
    {
        var refusal = Refused(FileOf(Encoding.Latin1.GetBytes(header), PayloadOf(true, Bytes(3))));
        Assert.True(refusal.Fault == AgeFault.BadHeader, $"{what}: {refusal.Message}");
    }

    [Fact]
    public void The_message_names_the_line()
    {
        var header = HeaderOf([.. Stanza, "-> x", "AB"]);
        var refusal = Assert.Throws<AgeException>(() => AgeHeader.Parse(header));
        Assert.StartsWith("age header, line 5: ", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_X25519_stanza_has_two_arguments_a_share_of_32_bytes_and_a_body_of_32_bytes()
    {
        foreach (string[] bad in new string[][]
                 {
                     ["-> X25519", Stanza[1]],
                     [Stanza[0] + " more", Stanza[1]],
                     [Stanza[0][..^2], Stanza[1]],
                     ["-> X25519 " + new string('A', 42) + "B", Stanza[1]],
                     [Stanza[0], "AAAA"],
                     [Stanza[0], new string('A', 44)],
                 })
        {
            var header = AgeHeader.Parse(HeaderOf(bad));
            var refusal = Assert.Throws<AgeException>(() => header.Unwrap([Identity], Curve));
            Assert.Equal(AgeFault.BadHeader, refusal.Fault);
            Assert.Contains("stanza 1", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("0100000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")]
    [InlineData("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157")]
    [InlineData("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    public void A_point_of_low_order_is_refused_as_share_and_as_recipient(string hex)
    {
        var point = Convert.FromHexString(hex);
        Assert.Null(Curve.X25519Agree(Identity.Secret, point));
        var share = "-> X25519 " + Convert.ToBase64String(point).TrimEnd('=');
        var header = AgeHeader.Parse(HeaderOf(share, Stanza[1]));
        Assert.Equal(
            AgeFault.LowOrderPoint, Assert.Throws<AgeException>(() => header.Unwrap([Identity], Curve)).Fault);
        Assert.Equal(
            AgeFault.LowOrderPoint, Assert.Throws<AgeException>(() => AgeRecipient.FromPublicKey(point)).Fault);
    }

    [Fact]
    public void Each_recipient_gets_an_ephemeral_secret_of_its_own()
    {
        var header = AgeHeader.Write(FileKey, [Recipient, Recipient], Curve, RandomNumberGenerator.Fill);
        var shares = Encoding.ASCII.GetString(header).Split('\n').Where(line => line.StartsWith("->", StringComparison.Ordinal));
        Assert.Equal(2, shares.Distinct(StringComparer.Ordinal).Count());
    }

    private static string Mac() => "--- " + new string('A', 43) + "\n";

    private static string Rest() => string.Join('\n', Stanza) + "\n" + Mac();
}
