using Lumora.Domain.Tasks;

namespace Lumora.Domain.Tests.Tasks;

public sealed class CollectionRulesTests
{
    private static string[] ProblemsOf(CollectionPlan plan, bool allowLoopback = false) =>
        [.. new CollectionRules(new Plans.Syntax(), allowLoopback).Validate(plan).Errors.Select(e => e.ErrorMessage)];

    [Fact]
    public void A_plan_that_holds_every_rule_has_no_problem() => Assert.Empty(ProblemsOf(Plans.Valid));

    [Fact]
    public void Everything_that_is_wrong_is_told_in_one_call()
    {
        var plan = Plans.Valid with
        {
            Title = "",
            Urls = ["ftp://example.org/a", "https://other.org/"],
            Rules = [new ExtractionRule("1", "h1"), new ExtractionRule("ok", "h1 !")],
            PagesPerTask = 0,
        };

        var problems = ProblemsOf(plan);

        Assert.Contains(problems, text => text.Contains("'Title'", StringComparison.Ordinal));
        Assert.Contains(problems, text => text.Contains("ftp://example.org/a", StringComparison.Ordinal));
        Assert.Contains(problems, text => text.Contains("https://other.org/", StringComparison.Ordinal));
        Assert.Contains(problems, text => text.Contains("'1' is no field name", StringComparison.Ordinal));
        Assert.Contains(problems, text => text.Contains("'h1 !' is no valid CSS selector", StringComparison.Ordinal));
        Assert.Contains(problems, text => text.Contains("'Pages Per Task'", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("http://127.0.0.1/a")]
    [InlineData("http://localhost/a")]
    [InlineData("http://10.0.0.1/a")]
    [InlineData("http://169.254.169.254/latest")]
    [InlineData("http://[::1]/a")]
    public void A_page_in_a_private_network_is_refused(string url)
    {
        var plan = Plans.Valid with { AllowedHosts = [new Uri(url).Host], Urls = [url] };
        Assert.Contains(ProblemsOf(plan), text => text.Contains(url, StringComparison.Ordinal));
    }

    [Fact]
    public void The_development_switch_admits_loopback_and_nothing_else()
    {
        var local = Plans.Valid with { AllowedHosts = ["127.0.0.1"], Urls = ["http://127.0.0.1:8080/a"] };
        Assert.Empty(ProblemsOf(local, allowLoopback: true));
        var other = Plans.Valid with { AllowedHosts = ["10.0.0.1"], Urls = ["http://10.0.0.1/a"] };
        Assert.NotEmpty(ProblemsOf(other, allowLoopback: true));
    }

    [Fact]
    public void Urls_and_a_sitemap_together_or_neither_are_refused()
    {
        Assert.NotEmpty(ProblemsOf(Plans.Valid with { Sitemap = "https://example.org/sitemap.xml" }));
        Assert.NotEmpty(ProblemsOf(Plans.Valid with { Urls = [] }));
        Assert.Empty(ProblemsOf(Plans.Valid with { Urls = [], Sitemap = "https://example.org/sitemap.xml" }));
    }
}
