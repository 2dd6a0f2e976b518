using System.Globalization;
using System.Text.Json;
using CsCheck;
using Lumora.Domain.Tasks;

namespace Lumora.Domain.Tests.Tasks;

public sealed class FieldValuesTests
{
    private static readonly Uri Page = new("https://site.example/a/b.html");

    [Theory]
    [InlineData(FieldType.Text, "  Two \n words\u00A0here ", "\"Two words here\"")]
    [InlineData(FieldType.Number, "1,234.500", "\"1234.5\"")]
    [InlineData(FieldType.Number, "-0.10", "\"-0.1\"")]
    [InlineData(FieldType.Number, "1e5", null)]
    [InlineData(FieldType.Number, "EUR 5", null)]
    [InlineData(FieldType.Integer, "9,007,199,254,740,993", "\"9007199254740993\"")]
    [InlineData(FieldType.Integer, "1.5", null)]
    [InlineData(FieldType.Boolean, "Yes", "true")]
    [InlineData(FieldType.Boolean, "maybe", null)]
    [InlineData(FieldType.Url, "../c?d=1", "\"https://site.example/c?d=1\"")]
    [InlineData(FieldType.Url, "javascript:alert(1)", null)]
    [InlineData(FieldType.Url, "ftp://x.example/", null)]
    [InlineData(FieldType.Date, "31 January 2026", "\"2026-01-31\"")]
    [InlineData(FieldType.Date, "2026-01-31T10:00:00+02:00", "\"2026-01-31T08:00:00.000000Z\"")]
    [InlineData(FieldType.Date, "01/02/2026", null)]
    [InlineData(FieldType.Html, " <b>x</b>  y ", "\"<b>x</b>  y\"")]
    [InlineData(FieldType.Text, " \t ", null)]
    public void A_value_has_one_form_and_doubtful_text_has_none(FieldType type, string raw, string? json) =>
        Assert.Equal(json, FieldValues.Read(type, raw, Page)?.ToJsonString(new JsonSerializerOptions
        {
            Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        }));

    [Fact]
    public void What_the_node_reads_the_curator_accepts() =>
        Gen.Select(Gen.Enum<FieldType>(), Gen.OneOf(
            Gen.String, Gen.Long.Select(n => n.ToString(CultureInfo.InvariantCulture)), Gen.Decimal.Select(n => n.ToString(CultureInfo.InvariantCulture)),
            Gen.DateTime.Select(d => d.ToString("O", CultureInfo.InvariantCulture)), Gen.Date.Select(d => d.ToString("d MMM yyyy", CultureInfo.InvariantCulture))))
        .Sample((type, raw) =>
        {
            if (FieldValues.Read(type, raw, Page) is not { } value)
                return;
            Assert.True(FieldValues.IsValid(type, JsonSerializer.SerializeToElement(value)), $"{type} {raw} → {value}");
        });

    [Fact]
    public void A_long_text_is_cut_at_a_whole_character()
    {
        var raw = new string('a', FieldValues.LengthMax - 1) + "😀";
        Assert.Equal(FieldValues.LengthMax - 1, FieldValues.Read(FieldType.Text, raw, Page)!.GetValue<string>().Length);
    }
}
