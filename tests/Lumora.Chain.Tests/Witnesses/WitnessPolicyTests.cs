using System.Globalization;
using System.Text;
using CsCheck;
using Lumora.Chain.Notes;
using Lumora.Chain.Witnesses;

namespace Lumora.Chain.Tests.Witnesses;

public sealed class WitnessPolicyTests
{
    /// <summary>The example of the specification, with keys and with all the spellings that it allows.</summary>
    private static readonly string Example =
        $"""
        # Operators X and Y
        log {GoldenLog.LogKey} https://lumora.example/log/main

        witness X1 {Key(1)} http://127.0.0.1:7001/
         {"\t"} witness{"\t"}X2   {Key(2)}{"\t"}
        witness X3 {Key(3)} https://witness.example/x3
        group X-witnesses 2 X1 X2 X3

        witness Y1 {Key(4)}
        witness Y2 {Key(5)}
        witness Ÿ3 {Key(6)} https://wïtness.example/
        {"\t"}# any of Y
        group Y-witnesses any Y1 Y2 Ÿ3

        group X-and-Y all X-witnesses Y-witnesses
        quorum X-and-Y

        """;

    [Fact]
    public void The_example_of_the_specification_is_read()
    {
        var policy = Parse(Example);
        Assert.Equal(GoldenLog.LogKey, Assert.Single(policy.Logs).Key.ToString());
        Assert.Equal(["X1", "X2", "X3", "Y1", "Y2", "Ÿ3"], policy.Witnesses.Select(witness => witness.Name));
        Assert.Equal([2, 1, 2], policy.Groups.Select(group => group.Threshold));
        Assert.Equal("X-and-Y", policy.Quorum);
        Assert.Equal("https://witness.example/x3", policy.Witnesses[2].Url!.OriginalString);
        Assert.Null(policy.Witnesses[1].Url);
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("X1 X2", false)]
    [InlineData("X1 Y1", false)]
    [InlineData("Y1 Y2 Ÿ3", false)]
    [InlineData("X1 X3 Ÿ3", true)]
    [InlineData("X1 X2 X3 Y1 Y2 Ÿ3", true)]
    [InlineData("x1 X2 Y1", false)]
    [InlineData("X1 X1 Y1", false)]
    [InlineData("X-witnesses Y-witnesses", false)]
    [InlineData("X-and-Y", false)]
    public void The_quorum_follows_from_who_cosigned(string names, bool isMet) =>
        Assert.Equal(isMet, Parse(Example).IsQuorumMet(names.Split(' ', StringSplitOptions.RemoveEmptyEntries)));

    [Fact]
    public void A_single_witness_may_be_the_quorum_and_none_asks_for_nobody()
    {
        var one = Parse($"witness w {Key(1)}\nquorum w\n");
        Assert.True(one.NeedsCosignatures);
        Assert.True(one.IsQuorumMet(["w"]));
        Assert.False(one.IsQuorumMet(["none"]));
        var none = Parse("quorum none\n");
        Assert.False(none.NeedsCosignatures);
        Assert.True(none.IsQuorumMet([]));
        Assert.Empty(none.Logs);
    }

    [Theory]
    [InlineData("quorum none", 1, "newline")]
    [InlineData("quorum none\nquorum none\n", 2, "second quorum")]
    [InlineData("quorum w\nwitness w {1}\n", 1, "no witness and no group w")]
    [InlineData("witness w {1}\nwitness w {2}\nquorum w\n", 2, "taken")]
    [InlineData("witness w {1}\nwitness v {1}\nquorum w\n", 2, "already")]
    [InlineData("witness none {1}\nquorum none\n", 1, "taken")]
    [InlineData("witness w {L}\nquorum w\n", 1, "type 01")]
    [InlineData("log {1}\nquorum none\n", 1, "type 04")]
    [InlineData("log {P}\nquorum none\n", 1, "type 06")]
    [InlineData("witness w {P}\nwitness v {P}\nquorum w\n", 2, "already")]
    [InlineData("log {L}\nlog {L} https://a.example\nquorum none\n", 2, "already")]
    [InlineData("log {L}\nlog other.example/ledger+54614de6+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c\nquorum none\n", 2, "already")]
    [InlineData("log\nquorum none\n", 1, "log <vkey>")]
    [InlineData("log {L} https://a.example b\nquorum none\n", 1, "log <vkey>")]
    [InlineData("log {L} a.example\nquorum none\n", 1, "address")]
    [InlineData("log {L} ftp://a.example\nquorum none\n", 1, "address")]
    [InlineData("log {L} https://a.example/?q\nquorum none\n", 1, "address")]
    [InlineData("log {L}x\nquorum none\n", 1, "holds no Ed25519 key")]
    [InlineData("witness w\nquorum none\n", 1, "witness <name>")]
    [InlineData("witness w {1}\ngroup g all\nquorum g\n", 2, "group <name>")]
    [InlineData("witness w {1}\ngroup g 0 w\nquorum g\n", 2, "from 1 to 1")]
    [InlineData("witness w {1}\ngroup g 2 w\nquorum g\n", 2, "from 1 to 1")]
    [InlineData("witness w {1}\ngroup g 01 w\nquorum g\n", 2, "from 1 to 1")]
    [InlineData("witness w {1}\ngroup g +1 w\nquorum g\n", 2, "from 1 to 1")]
    [InlineData("witness w {1}\ngroup g All w\nquorum g\n", 2, "from 1 to 1")]
    [InlineData("witness w {1}\ngroup g any w w\nquorum g\n", 2, "member already")]
    [InlineData("witness w {1}\ngroup g any w\ngroup h any w\nquorum g\n", 3, "member already")]
    [InlineData("witness w {1}\ngroup w any w\nquorum w\n", 2, "taken")]
    [InlineData("group g any g\nquorum g\n", 1, "no witness and no group g")]
    [InlineData("witness w {1}\ngroup g any w none\nquorum g\n", 2, "no witness and no group none")]
    [InlineData("quorum none\nbogus x\n", 2, "none of log")]
    [InlineData("quorum none\r\n", 1, "0x0d")]
    [InlineData("# \u007f\nquorum none\n", 1, "0x7f")]
    public void What_is_no_policy_is_refused_and_the_line_is_named(string text, int line, string why)
    {
        var filled = text.Replace("{1}", Key(1), StringComparison.Ordinal).Replace("{2}", Key(2), StringComparison.Ordinal)
            .Replace("{L}", GoldenLog.LogKey, StringComparison.Ordinal).Replace("{P}", PostQuantumKey(6), StringComparison.Ordinal);
        var exception = Assert.Throws<FormatException>(() => Parse(filled));
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"line {line}:"), exception.Message, StringComparison.Ordinal);
        Assert.Contains(why, exception.Message, StringComparison.Ordinal);
    }

    /// <summary>Half of each kind: as many witnesses as are read fit into a file.</summary>
    [Fact]
    public void Witnesses_may_have_keys_of_ML_DSA()
    {
        var lines = Enumerable.Range(1, WitnessPolicy.EntriesMax)
            .Select(i => $"witness w{i} {(i % 2 == 0 ? Key((byte)i) : PostQuantumKey((byte)i))} https://witness.example/{i}\n");
        var policy = Parse($"{string.Concat(lines)}quorum w1\n");
        Assert.Equal(WitnessPolicy.EntriesMax, policy.Witnesses.Count);
        Assert.Equal(SignatureKind.MlDsa44, policy.Witnesses[0].Key.Kind);
        Assert.Equal(policy.ToText(), Parse(policy.ToText()).ToText());
    }

    [Fact]
    public void A_policy_without_a_quorum_is_refused()
    {
        Assert.Contains("no quorum line", Assert.Throws<FormatException>(() => Parse("")).Message, StringComparison.Ordinal);
        Assert.Throws<FormatException>(() => Parse("# quorum none\n"));
    }

    [Fact]
    public void Octets_that_are_no_utf8_may_stand_in_comments_only()
    {
        Assert.NotNull(WitnessPolicy.Parse([.. "# "u8, 0xC3, 0x28, .. "\nquorum none\n"u8]));
        var exception = Assert.Throws<FormatException>(() => WitnessPolicy.Parse([.. "quorum "u8, 0xC3, 0x28, (byte)'\n']));
        Assert.Contains("line 1: it is not valid UTF-8", exception.Message, StringComparison.Ordinal);
    }

    /// <summary>The Kelvin sign is not the letter K, though .NET folds the one into the other.</summary>
    [Fact]
    public void Names_are_compared_octet_by_octet() =>
        Assert.Throws<FormatException>(() => Parse($"witness K {Key(1)}\nquorum \u212A\n"));

    [Fact]
    public void There_is_a_limit_on_everything()
    {
        static string Witnesses(int count) => string.Concat(Enumerable.Range(1, count)
            .Select(i => string.Create(CultureInfo.InvariantCulture, $"witness w{i} {Key(i)}\n")));
        Assert.Equal(128, Parse($"{Witnesses(128)}quorum w128\n").Witnesses.Count);
        Assert.Contains("more than 128", Assert.Throws<FormatException>(() => Parse($"{Witnesses(129)}quorum none\n")).Message, StringComparison.Ordinal);
        Assert.Throws<FormatException>(() => Parse($"#{new string('x', WitnessPolicy.BytesMax)}\nquorum none\n"));
    }

    [Fact]
    public void What_is_written_is_read_as_the_same_policy()
    {
        var text = Parse(Example).ToText();
        Assert.Equal(text, Parse(text).ToText());
        Assert.DoesNotContain('#', text);
        Assert.True(Parse(text).IsQuorumMet(["X1", "X3", "Ÿ3"]));
        Assert.False(Parse(text).IsQuorumMet(["X1", "Y1"]));
    }

    [Fact]
    public void A_reader_fails_in_no_other_way_than_by_saying_so() =>
        Gen.Byte.Array[0, 80].Sample(bytes =>
        {
            var example = Encoding.UTF8.GetBytes(Example);
            foreach (var input in new[] { bytes, [.. example[..Math.Min(example.Length, bytes.Length * 8)], .. bytes, .. example] })
            {
                try
                {
                    WitnessPolicy.Parse(input);
                }
                catch (FormatException)
                {
                    // The one way to refuse.
                }
            }
        });

    internal static string Key(int number)
    {
        using var signer = new NoteSigner(
            string.Create(CultureInfo.InvariantCulture, $"witness.example/{number}"), SignatureKind.CosignatureV1,
            [.. Enumerable.Repeat((byte)number, 32)]);
        return signer.Verifier.ToString();
    }

    internal static string PostQuantumKey(byte number)
    {
        using var signer = new NoteSigner(
            string.Create(CultureInfo.InvariantCulture, $"witness.example/pq/{number}"), SignatureKind.MlDsa44, [.. Enumerable.Repeat(number, 32)]);
        return signer.Verifier.ToString();
    }

    private static WitnessPolicy Parse(string text) => WitnessPolicy.Parse(Encoding.UTF8.GetBytes(text));
}
