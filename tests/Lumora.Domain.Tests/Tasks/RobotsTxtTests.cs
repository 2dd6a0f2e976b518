using System.Text;
using CsCheck;
using Lumora.Domain.Tasks;

namespace Lumora.Domain.Tests.Tasks;

public sealed class RobotsTxtTests
{
    private const string Agent = "FooBot";

    // RFC 9309 §5.1.
    private const string SimpleExample = """
        User-Agent: *
        Disallow: *.gif$
        Disallow: /example/
        Allow: /publications/

        User-Agent: foobot
        Disallow:/
        Allow:/example/page.html
        Allow:/example/allowed.gif

        User-Agent: barbot
        User-Agent: bazbot
        Disallow: /example/page.html

        User-Agent: quxbot

        EOF
        """;

    [Theory]
    [InlineData("foobot", "/example/page.html", true)]
    [InlineData("foobot", "/example/allowed.gif", true)]
    [InlineData("foobot", "/", false)]
    [InlineData("foobot", "/publications/", false)]
    [InlineData("barbot", "/example/page.html", false)]
    [InlineData("bazbot", "/example/page.html", false)]
    [InlineData("barbot", "/example/other.html", true)]
    [InlineData("quxbot", "/example/page.html", true)]
    [InlineData("quxbot", "/a.gif", true)]
    [InlineData("other", "/a.gif", false)]
    [InlineData("other", "/a.gif?x", true)]
    [InlineData("other", "/example/x", false)]
    [InlineData("other", "/publications/x", true)]
    public void The_simple_example_of_the_RFC_reads_as_the_RFC_says(string agent, string path, bool allowed) =>
        Assert.Equal(allowed, Allowed(SimpleExample, path, agent));

    [Theory] // RFC 9309 §5.2 and §2.2.2.
    [InlineData("Allow: /example/page/\nDisallow: /example/page/disallowed.gif", "/example/page/disallowed.gif", false)]
    [InlineData("Allow: /example/page/\nDisallow: /example/page/disallowed.gif", "/example/page/other.gif", true)]
    [InlineData("Disallow: /p\nAllow: /p", "/p", true)]
    [InlineData("Allow: /p\nDisallow: /p", "/p", true)]
    [InlineData("Disallow: /\nAllow: /folder", "/folder/page", true)]
    [InlineData("Allow: /page\nDisallow: /*.htm", "/page.htm", false)]
    [InlineData("Allow: /page\nDisallow: /*.ph", "/page.php5", true)]
    [InlineData("Allow: /$\nDisallow: /", "/", true)]
    [InlineData("Allow: /$\nDisallow: /", "/page.htm", false)]
    [InlineData("Disallow:", "/anything", true)]
    public void The_most_specific_rule_wins_and_allow_wins_a_tie(string rules, string path, bool allowed) =>
        Assert.Equal(allowed, Allowed("User-agent: FooBot\n" + rules, path));

    [Theory] // The table of Google's documentation of path matching.
    [InlineData("/fish", "/fish", true)]
    [InlineData("/fish", "/fish.html", true)]
    [InlineData("/fish", "/fish/salmon.html", true)]
    [InlineData("/fish", "/fishheads/yummy.html", true)]
    [InlineData("/fish", "/fish.php?id=anything", true)]
    [InlineData("/fish", "/Fish.asp", false)]
    [InlineData("/fish", "/catfish", false)]
    [InlineData("/fish", "/?id=fish", false)]
    [InlineData("/fish*", "/fishheads", true)]
    [InlineData("/fish*", "/desert/fish", false)]
    [InlineData("/fish/", "/fish/?id=anything", true)]
    [InlineData("/fish/", "/fish", false)]
    [InlineData("/*.php", "/folder/any.php.file.html", true)]
    [InlineData("/*.php", "/windows.PHP", false)]
    [InlineData("/*.php$", "/folder/filename.php", true)]
    [InlineData("/*.php$", "/filename.php?parameters", false)]
    [InlineData("/*.php$", "/filename.php5", false)]
    [InlineData("/fish*.php", "/fishheads/catfish.php?parameters", true)]
    [InlineData("/fish*.php", "/Fish.PHP", false)]
    [InlineData("/a*b*c$", "/axbxbxc", true)]
    [InlineData("/a*b*c$", "/axbxcx", false)]
    [InlineData("/a$b", "/a$b", true)]
    public void A_pattern_matches_from_the_start_with_stars_and_an_end(string pattern, string path, bool matches) =>
        Assert.Equal(!matches, Allowed($"User-agent: *\nDisallow: {pattern}", path));

    [Theory] // RFC 9309 §2.2.2, the table of encodings.
    [InlineData("/foo/bar?baz=quz", "/foo/bar?baz=quz")]
    [InlineData("/foo/bar?baz=https://foo.bar", "/foo/bar?baz=https://foo.bar")]
    [InlineData("/foo/bar/ツ", "/foo/bar/%E3%83%84")]
    [InlineData("/foo/bar/%E3%83%84", "/foo/bar/ツ")]
    [InlineData("/foo/bar/%62%61%7A", "/foo/bar/baz")]
    [InlineData("/foo/%e3%83%84", "/foo/%E3%83%84")]
    public void Octets_are_compared_in_one_encoding(string pattern, string path) =>
        Assert.False(Allowed($"User-agent: *\nDisallow: {pattern}", path));

    [Fact]
    public void An_encoded_slash_is_not_a_slash() =>
        Assert.True(Allowed("User-agent: *\nDisallow: /a/b", "/a%2Fb"));

    [Theory]
    [InlineData("foobot", false)]
    [InlineData("FOOBOT/2.1", false)]
    [InlineData("foobot-news", true)]
    [InlineData("foo", true)]
    public void Agents_are_compared_by_their_whole_product_token_in_any_case(string agent, bool allowed) =>
        Assert.Equal(allowed, Allowed("User-agent: FooBot/1.0\nDisallow: /", "/x", agent));

    [Fact]
    public void Groups_of_one_agent_are_one_and_hide_the_star()
    {
        const string Text = "User-agent: *\nDisallow: /\nUser-agent: foobot\nDisallow: /a\nUser-agent: x\nDisallow: /c\nUser-agent: FooBot\nDisallow: /b";
        Assert.True(Allowed(Text, "/c"));
        Assert.False(Allowed(Text, "/a"));
        Assert.False(Allowed(Text, "/b"));
        Assert.False(Allowed(Text, "/z", "other"));
    }

    [Fact]
    public void Comments_line_ends_spaces_byte_order_mark_and_case_of_keys_do_not_matter()
    {
        var bytes = Encoding.UTF8.GetBytes("\uFEFFuSeR-aGeNt :  * # all\r\n\r\n# note\rDISALLOW:/a # no\nnonsense\nfoo: bar\nDisallow : /b");
        var robots = RobotsTxt.Parse(bytes);
        Assert.False(robots.IsAllowed(Agent, Address("/a")));
        Assert.False(robots.IsAllowed(Agent, Address("/b")));
        Assert.True(robots.IsAllowed(Agent, Address("/c")));
    }

    [Fact]
    public void Rules_before_any_agent_bind_nobody() =>
        Assert.True(Allowed("Disallow: /\nUser-agent: x\nDisallow: /", "/a"));

    [Fact]
    public void Sitemaps_and_delays_do_not_end_a_run_of_agents()
    {
        var robots = RobotsTxt.Parse("User-agent: foobot\nSitemap: https://a.example/s.xml\nCrawl-delay: 2.5\nUser-agent: barbot\nDisallow: /");
        Assert.False(robots.IsAllowed("foobot", Address("/x")));
        Assert.False(robots.IsAllowed("barbot", Address("/x")));
        Assert.Equal(["https://a.example/s.xml"], robots.Sitemaps);
        Assert.Equal(TimeSpan.FromSeconds(2.5), robots.CrawlDelay("foobot"));
    }

    [Theory]
    [InlineData("Crawl-delay: 10", 10)]
    [InlineData("Crawl-delay: 1e9", null)]
    [InlineData("Crawl-delay: -1", null)]
    [InlineData("Crawl-delay: 99999999999999999", 300)]
    [InlineData("Crawl-delay: soon", null)]
    public void A_crawl_delay_is_read_within_bounds(string line, int? seconds) =>
        Assert.Equal(
            seconds is null ? null : TimeSpan.FromSeconds(seconds.Value),
            RobotsTxt.Parse($"User-agent: *\n{line}").CrawlDelay(Agent));

    [Fact]
    public void The_file_itself_is_always_allowed() =>
        Assert.True(RobotsTxt.DisallowAll.IsAllowed(Agent, Address("/robots.txt")));

    [Fact]
    public void No_file_allows_all_and_an_unreachable_one_nothing()
    {
        Assert.True(RobotsTxt.AllowAll.IsAllowed(Agent, Address("/x")));
        Assert.False(RobotsTxt.DisallowAll.IsAllowed(Agent, Address("/x")));
    }

    [Fact]
    public void What_lies_behind_the_size_limit_is_ignored()
    {
        var text = "User-agent: *\n" + new string('#', RobotsTxt.BytesMax) + "\nDisallow: /";
        Assert.True(RobotsTxt.Parse(Encoding.UTF8.GetBytes(text)).IsAllowed(Agent, Address("/x")));
    }

    [Fact]
    public void Any_bytes_parse_and_any_path_gets_an_answer() =>
        Gen.Byte.Array[0, 400].Select(Gen.String).Sample((bytes, path) =>
        {
            var robots = RobotsTxt.Parse(bytes);
            _ = robots.IsAllowed(Agent, Address("/" + Uri.EscapeDataString(path.Replace("\uFFFD", "", StringComparison.Ordinal))));
        });

    [Fact]
    public void Hostile_patterns_do_not_blow_up()
    {
        var pattern = "/" + string.Concat(Enumerable.Repeat("a*", 200)) + "b$";
        Assert.True(Allowed($"User-agent: *\nDisallow: {pattern}", "/" + new string('a', 2000)));
    }

    private static bool Allowed(string text, string path, string agent = Agent) =>
        RobotsTxt.Parse(text).IsAllowed(agent, Address(path));

    private static Uri Address(string path) => new("http://site.example" + path);
}
