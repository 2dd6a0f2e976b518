using System.Text.Json;
using CsCheck;
using Lumora.Domain.Datasets;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Tests.Datasets;

public sealed class DatasetDraftTests
{
    [Fact]
    public void A_publisher_hears_everything_that_is_wrong_at_once()
    {
        var draft = new DatasetDraft("collection_1", "x", "short", "Two Words", Amount.Zero, "GPL-9");

        var problems = new DatasetDraftValidator().Problems(draft);

        Assert.Equal(
            [
                ("invalid_collection", "collectionId"), ("invalid_title", "title"),
                ("invalid_description", "description"), ("invalid_topic", "topic"), ("invalid_price", "price"),
                ("invalid_licence", "licence"),
            ],
            problems.Select(problem => (problem.Code, problem.Field!)));
    }

    [Theory]
    [InlineData("1.0.0", true)]
    [InlineData("0.0.1", true)]
    [InlineData("999999.0.0", true)]
    [InlineData("1000000.0.0", false)]
    [InlineData("01.0.0", false)]
    [InlineData("1.0", false)]
    [InlineData("1.0.0-rc1", false)]
    [InlineData("+1.0.0", false)]
    [InlineData(" 1.0.0", false)]
    [InlineData(null, false)]
    public void Only_plain_versions_are_read(string? text, bool valid) =>
        Assert.Equal(valid, SemVer.TryParse(text, out _));

    [Fact]
    public void Versions_order_by_number_and_survive_json() =>
        Gen.Select(Gen.Int[0, 12], Gen.Int[0, 12], Gen.Int[0, 12])
            .Select((major, minor, patch) => new SemVer(major, minor, patch))
            .Array[2]
            .Sample(pair =>
            {
                var (a, b) = (pair[0], pair[1]);
                var byNumber = (a.Major * 169 + a.Minor * 13 + a.Patch).CompareTo(b.Major * 169 + b.Minor * 13 + b.Patch);
                var json = JsonSerializer.Serialize(a, WireJson.Events);
                return Math.Sign(a.CompareTo(b)) == Math.Sign(byNumber)
                    && JsonSerializer.Deserialize<SemVer>(json, WireJson.Messages) == a;
            });
}
