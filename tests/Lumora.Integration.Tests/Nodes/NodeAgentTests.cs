using System.Text;
using Lumora.Chain.Cryptography;
using Lumora.Domain.Tasks;
using SimpleBase;

namespace Lumora.Integration.Tests.Nodes;

public sealed class NodeAgentTests : IAsyncLifetime
{
    private readonly AgentHome _home = new();
    private TestSite _site = null!;
    private TestGateway _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        _site = await TestSite.StartAsync();
        _gateway = await TestGateway.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _site.DisposeAsync();
        _home.Dispose();
    }

    [Fact]
    public async Task A_lease_becomes_an_encrypted_result_whose_receipt_and_root_hold()
    {
        _site.Html("/a", "<h1>First</h1><p>Write to jane@mail.example now</p>").Html("/b", "<h1>Second <b>page</b></h1>");
        var lease = _gateway.Offer(_site, [_site.Url("/a"), _site.Url("/b")]);
        await using var agent = _home.Start(_gateway);

        var result = await _gateway.ResultAsync(lease);
        var records = await _gateway.RecordsAsync(lease);

        Assert.Null(NodeProtocolShapes.Check(result));
        Assert.Equal(2, result.Records);
        Assert.Equal("First", records[0].GetProperty("title").GetString());
        Assert.Equal("Write to [email] now", records[0].GetProperty("body").GetString());
        Assert.Equal(_site.Url("/a"), records[0].GetProperty("url").GetString());
        Assert.Equal("Second page", records[1].GetProperty("title").GetString());
        Assert.False(records[1].TryGetProperty("body", out _));
        Assert.Equal(1, Assert.Single(result.Redactions).Value);
        using var plaintext = new MemoryStream(await _gateway.PlaintextAsync(lease));
        Assert.Equal(result.ContentRoot, ContentRoot.Of(plaintext));
        Assert.DoesNotContain("First", Encoding.UTF8.GetString(_gateway.Ciphertext(lease)), StringComparison.Ordinal);
        var receipt = result.Receipt;
        Assert.Equal(_home.Key.NodeId, receipt.NodeId);
        Assert.True(new Curve25519().Ed25519Verify(
            Base58.Bitcoin.Decode(receipt.NodeId), receipt.SigningBytes(), Convert.FromBase64String(receipt.Sig!)));
        Assert.Empty(_gateway.Faults);
        Assert.All(_site.Requests, request => Assert.Matches(@"^LumoraNode/\d+\.\d+\.\d+ \(\+http://.+\)$", request.UserAgent));

        await agent.StopAsync();
        Assert.Contains(_home.Log, line => line.Contains("\"countersignature\":\"valid\"", StringComparison.Ordinal));
        Assert.DoesNotContain(_home.Log, line => line.Contains("jane", StringComparison.Ordinal));
        Assert.False(Directory.Exists(Path.Combine(_home.Path, "lease")));
    }

    [Fact]
    public async Task Each_fault_of_a_page_is_named_and_the_others_still_count()
    {
        _site.Page("/robots.txt", context => Write(context, "User-agent: LumoraNode\nDisallow: /private\n"))
            .Html("/ok", "<h1>Good</h1>")
            .Html("/private/x", "<h1>Secret</h1>")
            .Html("/large", "<h1>" + new string('x', 100_000) + "</h1>")
            .Page("/endless", async context =>
            {
                context.Response.ContentType = "text/html";
                while (!context.RequestAborted.IsCancellationRequested)
                    await context.Response.Body.WriteAsync(new byte[4096], context.RequestAborted);
            })
            .Page("/slow", async context =>
            {
                context.Response.ContentType = "text/html";
                await context.Response.Body.FlushAsync(context.RequestAborted);
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
            })
            .Bytes("/charset", "<h1>x</h1>"u8.ToArray(), "text/html; charset=klingon")
            .Bytes("/notutf8", [.. "<h1>"u8, .. Enumerable.Repeat((byte)0xFF, 50), .. "</h1>"u8], "text/html; charset=utf-8")
            .Bytes("/image", [1, 2, 3], "image/png")
            .Redirect("/to-ok", "/ok")
            .Redirect("/to-private-page", "/private/x")
            .Redirect("/to-lan", "http://10.0.0.1/")
            .Redirect("/to-metadata", "http://169.254.169.254/latest/meta-data/")
            .Redirect("/to-other", "http://other.example/")
            .Redirect("/to-file", "file:///etc/passwd")
            .Redirect("/loop", "/loop");
        var expected = new (string Path, PageOutcome Outcome)[]
        {
            ("/ok", PageOutcome.Fetched), ("/private/x", PageOutcome.RobotsForbidden), ("/missing", PageOutcome.HttpError),
            ("/large", PageOutcome.TooLarge), ("/endless", PageOutcome.TooLarge), ("/slow", PageOutcome.TimedOut),
            ("/charset", PageOutcome.BadCharset), ("/notutf8", PageOutcome.BadCharset), ("/image", PageOutcome.UnsupportedType),
            ("/to-ok", PageOutcome.Fetched), ("/to-private-page", PageOutcome.RobotsForbidden),
            ("/to-lan", PageOutcome.AddressNotPublic), ("/to-metadata", PageOutcome.AddressNotPublic),
            ("/to-other", PageOutcome.HostNotAllowed), ("/to-file", PageOutcome.BadUrl), ("/loop", PageOutcome.TooManyRedirects),
        };
        var lease = _gateway.Offer(_site, [.. expected.Select(page => _site.Url(page.Path))], lease => lease with
        {
            AllowedHosts = [_site.Address.Authority, "10.0.0.1", "169.254.169.254"],
        });
        await using var agent = _home.Start(_gateway, options => options with { PageTimeout = TimeSpan.FromSeconds(2) });

        var result = await _gateway.ResultAsync(lease);

        Assert.Null(NodeProtocolShapes.Check(result));
        Assert.Equal(expected, result.Pages.Select((page, index) => (expected[index].Path, page.Outcome)));
        Assert.Equal(WorkStatus.Partial, result.Receipt.Status);
        Assert.Equal(2, result.Records);
        Assert.Equal(404, result.Pages[2].Status);
        Assert.Equal(_site.Url("/ok"), result.Pages[9].FinalUrl);
        Assert.Equal(0, _site.Count("/private/x"));
    }

    [Fact]
    public async Task Without_the_development_switch_no_connection_reaches_this_machine()
    {
        _site.Html("/a", "<h1>x</h1>");
        var port = _site.Address.Port;
        var lease = _gateway.Offer(
            _site, [_site.Url("/a"), $"http://localhost:{port}/a", $"http://[::ffff:127.0.0.1]:{port}/a", $"http://2130706433:{port}/a"],
            lease => lease with { AllowedHosts = ["127.0.0.1", "localhost", "::ffff:127.0.0.1", "::ffff:7f00:1"] });
        await using var agent = _home.Start(_gateway, options => options with { AllowLoopback = false });

        var result = await _gateway.ResultAsync(lease);

        Assert.All(result.Pages, page => Assert.Equal(PageOutcome.AddressNotPublic, page.Outcome));
        Assert.Empty(_site.Requests);
    }

    [Fact]
    public async Task A_robots_file_that_fails_forbids_the_site()
    {
        _site.Html("/a", "<h1>x</h1>").Page("/robots.txt", context =>
        {
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        });
        var lease = _gateway.Offer(_site, [_site.Url("/a"), _site.Url("/a?again")]);
        await using var agent = _home.Start(_gateway);

        var result = await _gateway.ResultAsync(lease);

        Assert.All(result.Pages, page => Assert.Equal(PageOutcome.RobotsUnreachable, page.Outcome));
        Assert.Equal(0, _site.Count("/a"));
        Assert.Equal(1, _site.Count("/robots.txt"));
    }

    [Fact]
    public async Task Text_is_read_in_the_charset_of_mark_header_or_page()
    {
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        _site.Bytes("/header", Encoding.Latin1.GetBytes("<h1>café</h1>"), "text/html; charset=iso-8859-1")
            .Bytes("/meta", Encoding.GetEncoding("shift_jis").GetBytes("<meta charset=\"shift_jis\"><h1>日本語</h1>"), "text/html")
            .Bytes("/old-meta", Encoding.GetEncoding("windows-1251").GetBytes("<meta http-equiv=Content-Type content=\"text/html; charset=windows-1251\"><h1>привет</h1>"), "text/html")
            .Bytes("/mark", [0xFF, 0xFE, .. Encoding.Unicode.GetBytes("<h1>Ω</h1>")], "text/html; charset=utf-8")
            .Bytes("/none", Encoding.UTF8.GetBytes("<h1>naïve</h1>"), "text/html");
        var lease = _gateway.Offer(
            _site, [_site.Url("/header"), _site.Url("/meta"), _site.Url("/old-meta"), _site.Url("/mark"), _site.Url("/none")]);
        await using var agent = _home.Start(_gateway);

        await _gateway.ResultAsync(lease);

        var titles = (await _gateway.RecordsAsync(lease)).Select(record => record.GetProperty("title").GetString()!);
        Assert.Equal("café 日本語 привет Ω naïve", string.Join(' ', titles));
    }

    [Fact]
    public async Task Rules_take_typed_fields_of_every_record_on_a_page()
    {
        _site.Html("/list", """
            <ul><li data-id="7"><a href="/x">One</a><i>1,250.50</i><script>var e = 'a@b.example'</script></li>
            <li data-id="8"><a href="y">Two</a></li><li>no id</li><li data-id="9"><a href="z">over the limit</a></li></ul>
            """);
        var lease = _gateway.Offer(_site, [_site.Url("/list")], lease => lease with
        {
            RecordSelector = "li",
            RecordsPerPageMax = 3,
            Rules =
            [
                new ExtractionRule("id", ":scope", "data-id", FieldType.Integer, Required: true),
                new ExtractionRule("link", "a", "href", FieldType.Url), new ExtractionRule("price", "i", null, FieldType.Number),
                new ExtractionRule("all", ":scope"),
            ],
        });
        await using var agent = _home.Start(_gateway);

        var result = await _gateway.ResultAsync(lease);
        var records = await _gateway.RecordsAsync(lease);

        Assert.Equal("7,8", string.Join(',', records.Select(record => record.GetProperty("id").GetString())));
        Assert.Equal(_site.Url("/x"), records[0].GetProperty("link").GetString());
        Assert.Equal("1250.5", records[0].GetProperty("price").GetString());
        Assert.DoesNotContain("var", records[0].GetProperty("all").GetString(), StringComparison.Ordinal);
        Assert.Empty(result.Redactions);
    }

    [Fact]
    public async Task A_page_built_to_exhaust_its_reader_does_not_end_the_agent()
    {
        _site.Html("/wide", string.Concat(Enumerable.Repeat("<hr>", 200_001)))
            .Html("/deep", string.Concat(Enumerable.Repeat("<b>", 2_000)) + "<h1>x</h1>");
        var lease = _gateway.Offer(_site, [_site.Url("/wide"), _site.Url("/deep")], lease => lease with
        {
            PageBytesMax = 1024 * 1024,
            Rules = [new ExtractionRule("title", "h1"), new ExtractionRule("all", ":scope", null, FieldType.Html)],
        });
        await using var agent = _home.Start(_gateway);

        var result = await _gateway.ResultAsync(lease);

        Assert.Equal(PageOutcome.UnsupportedType, result.Pages[0].Outcome);
        Assert.Equal(PageOutcome.Fetched, result.Pages[1].Outcome);
    }

    private static Task Write(Microsoft.AspNetCore.Http.HttpContext context, string text) =>
        context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text)).AsTask();
}
