using CsCheck;
using Lumora.Domain.Tasks;

namespace Lumora.Domain.Tests.Tasks;

public sealed class TaskCutterTests
{
    private static readonly CollectionPlan Plan =
        Plans.Valid with { AllowedHosts = ["a.org", "b.org"], PagesMax = 50, PagesPerTask = 7 };

    private static readonly Gen<string> Url =
        from host in Gen.OneOf(Gen.Const("a.org"), Gen.Const("b.org"), Gen.Const("B.org"), Gen.Const("c.org"))
        from page in Gen.Int[0, 60]
        from fragment in Gen.OneOf(Gen.Const(""), Gen.Const("#x"))
        select $"http://{host}/{page}{fragment}";

    [Fact]
    public void Each_allowed_page_is_in_exactly_one_batch_of_one_host() => Url.Array[0, 100].Sample(urls =>
    {
        var batches = TaskCutter.Cut(Plan, urls);

        var expected = urls
            .Select(url => url.Split('#')[0].ToLowerInvariant())
            .Where(url => !url.Contains("c.org", StringComparison.Ordinal))
            .Distinct(StringComparer.Ordinal).Take(Plan.PagesMax);
        Assert.Equal(expected.Order(StringComparer.Ordinal),
            batches.SelectMany(batch => batch.Urls).Order(StringComparer.Ordinal));
        Assert.All(batches, batch =>
        {
            Assert.InRange(batch.Urls.Count, 1, Plan.PagesPerTask);
            Assert.All(batch.Urls, url => Assert.Equal(batch.Host, new Uri(url).Host));
        });
    });

    [Fact]
    public void Hosts_take_turns()
    {
        string[] urls = [.. Enumerable.Range(0, 14).Select(i => $"http://a.org/{i}"), "http://b.org/"];
        Assert.Equal("a.org b.org a.org", string.Join(" ", TaskCutter.Cut(Plan, urls).Select(batch => batch.Host)));
    }
}
