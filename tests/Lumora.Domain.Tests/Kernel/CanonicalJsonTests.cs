using System.Globalization;
using System.Text;
using System.Text.Json;
using CsCheck;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Tests.Kernel;

public sealed class CanonicalJsonTests
{
    private static string Canonical(string json) => Encoding.UTF8.GetString(CanonicalJson.Canonicalize(Encoding.UTF8.GetBytes(json)));

    /// <summary>RFC 8785 §3.2.2 to §3.2.4: the running example of the standard.</summary>
    [Fact]
    public void The_example_of_the_standard_comes_out_byte_for_byte()
    {
        const string input = """
            {
              "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
              "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
              "literals": [null, true, false]
            }
            """;
        const string expected =
            """{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}""";
        Assert.Equal(expected, Canonical(input));
    }

    /// <summary>RFC 8785 §3.2.3: keys by UTF-16 code units, so that an astral key sorts before U+FB33.</summary>
    [Fact]
    public void Keys_are_ordered_by_their_utf16_code_units()
    {
        const string input = """
            {"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",
             "\ud83d\ude00":"Beyond the basic plane","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}
            """;
        var keys = JsonDocument.Parse(Canonical(input)).RootElement.EnumerateObject().Select(p => p.Name);
        Assert.Equal<IEnumerable<string>>(["\r", "1", "\u0080", "\u00f6", "\u20ac", "\ud83d\ude00", "\ufb33"], keys);
    }

    /// <summary>RFC 8785 appendix B, by the bits of the double.</summary>
    [Theory]
    [InlineData("0000000000000000", "0")]
    [InlineData("8000000000000000", "0")]
    [InlineData("0000000000000001", "5e-324")]
    [InlineData("8000000000000001", "-5e-324")]
    [InlineData("7fefffffffffffff", "1.7976931348623157e+308")]
    [InlineData("ffefffffffffffff", "-1.7976931348623157e+308")]
    [InlineData("4340000000000000", "9007199254740992")]
    [InlineData("c340000000000000", "-9007199254740992")]
    [InlineData("4430000000000000", "295147905179352830000")]
    [InlineData("44b52d02c7e14af5", "9.999999999999997e+22")]
    [InlineData("44b52d02c7e14af6", "1e+23")]
    [InlineData("44b52d02c7e14af7", "1.0000000000000001e+23")]
    [InlineData("444b1ae4d6e2ef4e", "999999999999999700000")]
    [InlineData("444b1ae4d6e2ef4f", "999999999999999900000")]
    [InlineData("444b1ae4d6e2ef50", "1e+21")]
    [InlineData("3eb0c6f7a0b5ed8c", "9.999999999999997e-7")]
    [InlineData("3eb0c6f7a0b5ed8d", "0.000001")]
    [InlineData("41b3de4355555553", "333333333.3333332")]
    [InlineData("41b3de4355555554", "333333333.33333325")]
    [InlineData("41b3de4355555555", "333333333.3333333")]
    [InlineData("41b3de4355555556", "333333333.3333334")]
    [InlineData("41b3de4355555557", "333333333.33333343")]
    [InlineData("becbf647612f3696", "-0.0000033333333333333333")]
    [InlineData("43143ff3c1cb0959", "1424953923781206.2")]
    public void Numbers_are_printed_as_ecmascript_prints_them(string bits, string expected)
    {
        var value = BitConverter.UInt64BitsToDouble(ulong.Parse(bits, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
        Assert.Equal(expected, Canonical(value.ToString("E17", CultureInfo.InvariantCulture)));
    }

    [Theory]
    [InlineData("1.0", "1")]
    [InlineData("-0", "0")]
    [InlineData("-0.0", "0")]
    [InlineData("1e2", "100")]
    [InlineData("9007199254740993", "9007199254740992")]
    [InlineData("9223372036854775807", "9223372036854776000")]
    [InlineData("123e-8", "0.00000123")]
    [InlineData("123e-9", "1.23e-7")]
    public void One_value_has_one_spelling(string input, string expected) => Assert.Equal(expected, Canonical(input));

    [Theory]
    [InlineData("{\"a\":1,\"a\":2}")]
    [InlineData("{\"a\":1,\"\\u0061\":2}")]
    [InlineData("\"\\ud800\"")]
    [InlineData("\"\\udc00\\ud800\"")]
    [InlineData("{\"\\ud800\":1}")]
    [InlineData("1e400")]
    [InlineData("-1e400")]
    [InlineData("{} {}")]
    [InlineData("{},")]
    [InlineData("[1,]")]
    [InlineData("// c\n1")]
    [InlineData("01")]
    [InlineData("NaN")]
    [InlineData("")]
    [InlineData("\"\u0001\"")]
    public void What_has_no_canonical_form_is_refused(string input) =>
        Assert.Throws<FormatException>(() => Canonical(input));

    [Fact]
    public void Invalid_utf8_is_refused() =>
        Assert.Throws<FormatException>(() => CanonicalJson.Canonicalize([(byte)'"', 0xC3, 0x28, (byte)'"']));

    [Fact]
    public void Every_control_character_is_escaped_in_its_shortest_form()
    {
        var text = string.Concat(Enumerable.Range(0, 0x21).Select(i => (char)i)) + "\u007f\u2028";
        var expected = "\"" + string.Concat(Enumerable.Range(0, 0x20).Select(i => i switch
        {
            8 => "\\b",
            9 => "\\t",
            10 => "\\n",
            12 => "\\f",
            13 => "\\r",
            _ => $"\\u{i:x4}",
        })) + " \u007f\u2028\"";
        Assert.Equal(expected, Encoding.UTF8.GetString(CanonicalJson.Serialize(text)));
    }

    [Fact]
    public void Records_are_serialized_in_the_wire_dialect() =>
        Assert.Equal(
            """{"at":"2026-01-31T23:59:59.123456Z","count":"9223372036854775807","price":"5"}""",
            Encoding.UTF8.GetString(CanonicalJson.Serialize(new Sample(
                new Amount(5), long.MaxValue, new DateTimeOffset(2026, 1, 31, 23, 59, 59, TimeSpan.Zero).AddTicks(1234567), null))));

    [Fact]
    public void Canonical_bytes_are_their_own_canonical_form() =>
        Gen.Select(Gen.Double, Gen.String, Gen.Dictionary(Gen.String, Gen.Int)).Sample((number, text, map) =>
        {
            if (!double.IsFinite(number) || !IsWellFormed(text) || !map.Keys.All(IsWellFormed))
                return;
            var once = CanonicalJson.Serialize(new { number, text, map });
            Assert.Equal(once, CanonicalJson.Canonicalize(once));
            var read = JsonDocument.Parse(once).RootElement;
            // -0 becomes 0, which is equal to it.
            Assert.Equal(number == 0 ? 0 : number, read.GetProperty("number").GetDouble());
            Assert.Equal(text, read.GetProperty("text").GetString());
        });

    /// <summary>
    /// There are two ways to the canonical form: bytes to bytes, and over elements. Whatever the text, valid or not, they
    /// must agree.
    /// </summary>
    [Fact]
    public void Bytes_and_elements_have_the_same_canonical_form()
    {
        var number = Gen.OneOf(
            Gen.Double.Select(d => d.ToString("R", CultureInfo.InvariantCulture)),
            Gen.Long.Select(l => l.ToString(CultureInfo.InvariantCulture)),
            Any("-0", "1.0", "1e2", "-0.0", "9007199254740993", "1e400", "01", "0.1e-7"));
        var text = Gen.OneOf(
            Gen.String[Gen.Char["abcXYZ019_ -/'é€\u2028\u007f"], 0, 9].Select(t => $"\"{t}\""),
            Gen.String[0, 6].Select(t => JsonSerializer.Serialize(t)),
            Any("\"\\u0061\"", "\"\\ud83d\\ude00\"", "\"\\ud800\"", "\"\\/\\\"\\n\"", "\"a\u0001\""));
        var key = Gen.OneOf(
            Gen.String[Gen.Char["abAB1_"], 0, 3].Select(t => $"\"{t}\""), text);
        var space = Any("", "", "", "", " ", "\n", ", ", "1");
        var scalar = Gen.OneOf(number, text, Any("true", "false", "null", "nul", ""));
        var value = Gen.Recursive<string>((depth, inner) => depth > 4
            ? scalar
            : Gen.OneOf(
                scalar,
                inner.List[0, 4].Select(items => $"[{string.Join(", ", items)}]"),
                Gen.Select(key, inner).List[0, 12].Select(members =>
                    $"{{{string.Join(", ", members.Select(m => $"{m.Item1}: {m.Item2}"))}}}")));
        Gen.Select(value, space).Sample((json, tail) => AssertBothWaysAgree(json + tail), iter: 20_000);
    }

    [Fact]
    public void Many_keys_and_deep_nesting_come_out_the_same_both_ways()
    {
        AssertBothWaysAgree("{" + string.Join(",", Enumerable.Range(0, 500).Reverse().Select(i => $"\"k{i}\":{{\"z\":{i},\"a\":[{i}]}}")) + "}");
        AssertBothWaysAgree(string.Concat(Enumerable.Repeat("{\"b\":1,\"a\":", 60)) + "1" + new string('}', 60));
        AssertBothWaysAgree(new string('[', 65) + new string(']', 65));
    }

    private static Gen<string> Any(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);

    private static void AssertBothWaysAgree(string json)
    {
        var (bytes, elements) = (Try(() => Canonical(json)), Try(() => OverElements(json)));
        Assert.True(string.Equals(bytes, elements, StringComparison.Ordinal), $"{json}\n{bytes}\n{elements}");
    }

    private static string OverElements(string json)
    {
        using var document = JsonDocument.Parse(json);
        return Encoding.UTF8.GetString(CanonicalJson.Canonicalize(document.RootElement));
    }

    private static string Try(Func<string> canonicalize)
    {
        try
        {
            return canonicalize();
        }
        catch (Exception refused) when (refused is FormatException or JsonException)
        {
            return "refused";
        }
    }

    private static bool IsWellFormed(string text) =>
        !text.EnumerateRunes().Any(rune => rune == Rune.ReplacementChar);

    private sealed record Sample(Amount Price, long Count, DateTimeOffset At, string? Nothing);
}
