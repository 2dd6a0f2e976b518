using System.Text;
using System.Text.Json;
using Lumora.Domain.Kernel;
using Lumora.Domain.Tasks;

namespace Lumora.Domain.Tests.Tasks;

public sealed class NodeProtocolTests
{
    private static readonly string Root = new('a', 64);
    private static readonly WorkReceipt Receipt =
        new("lease_x", "Node1", 1, 5, 9, Root, WorkStatus.Complete, 1_700_000_000_000, 1_700_000_001_000, "sig");

    [Fact]
    public void A_receipt_is_signed_over_its_canonical_form_without_the_signature()
    {
        const string Expected =
            "lumora-pob/1\nWorkReceipt\n"
            + "{\"bytesIn\":\"5\",\"bytesOut\":\"9\",\"contentRoot\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","
            + "\"end\":\"1700000001000\",\"leaseId\":\"lease_x\",\"nodeId\":\"Node1\",\"seq\":\"1\",\"start\":\"1700000000000\",\"status\":\"complete\"}";
        Assert.Equal(Expected, Encoding.UTF8.GetString(Receipt.SigningBytes()));
        Assert.Equal(Receipt.SigningBytes(), (Receipt with { Sig = "another" }).SigningBytes());
    }

    [Fact]
    public void The_gateway_signs_the_receipt_with_the_nodes_signature()
    {
        var bytes = Encoding.UTF8.GetString(new ReceiptCountersigned(Receipt, "Gate", "x").SigningBytes());
        Assert.StartsWith("lumora-pob/1\nReceiptCountersigned\n{\"gatewayId\":\"Gate\",\"receipt\":{", bytes, StringComparison.Ordinal);
        Assert.Contains("\"sig\":\"sig\"", bytes, StringComparison.Ordinal);
    }

    [Fact]
    public void Messages_keep_their_values_on_the_wire_and_refuse_unknown_members()
    {
        var lease = Leases.Valid();
        var json = JsonSerializer.Serialize(lease, WireJson.Messages);
        Assert.Contains("\"type\":\"text\"", json, StringComparison.Ordinal);
        Assert.Equal(json, JsonSerializer.Serialize(JsonSerializer.Deserialize<Lease>(json, WireJson.Messages), WireJson.Messages));
        Assert.Throws<JsonException>(() =>
            JsonSerializer.Deserialize<Lease>(json.Insert(1, "\"surprise\":1,"), WireJson.Messages));
    }

    [Fact]
    public void A_page_without_a_body_can_be_read_again()
    {
        var page = Result().Pages[0] with { Sha256 = null, BodyBytes = 0, Records = 0, Outcome = PageOutcome.HttpError };
        var json = JsonSerializer.Serialize(page, WireJson.Messages);
        Assert.Equal(page, JsonSerializer.Deserialize<PageResult>(json, WireJson.Messages));
    }

    [Fact]
    public void A_sound_lease_and_a_sound_result_hold()
    {
        Assert.Null(NodeProtocolShapes.Check(Leases.Valid(), Leases.AnySelector));
        Assert.Null(NodeProtocolShapes.Check(Result()));
    }

    [Theory]
    [InlineData("leaseId")]
    [InlineData("urls")]
    [InlineData("allowedHosts")]
    [InlineData("pageBytesMax")]
    [InlineData("recordsPerPageMax")]
    [InlineData("recipient")]
    [InlineData("attempt")]
    public void A_lease_with_one_bad_field_is_refused_by_its_name(string field)
    {
        var lease = Leases.Valid();
        lease = field switch
        {
            "leaseId" => lease with { LeaseId = "lease_1" },
            "urls" => lease with { Urls = [] },
            "allowedHosts" => lease with { AllowedHosts = ["a b"] },
            "pageBytesMax" => lease with { PageBytesMax = int.MaxValue },
            "recordsPerPageMax" => lease with { RecordsPerPageMax = 0 },
            "recipient" => lease with { Recipient = "AGE-SECRET-KEY-1" },
            _ => lease with { Attempt = 0 },
        };
        Assert.Equal(field, NodeProtocolShapes.Check(lease, Leases.AnySelector)?.Field);
    }

    [Fact]
    public void A_result_that_contradicts_its_receipt_is_refused()
    {
        Assert.Equal("receipt.bytesIn", Refused(r => r with { Receipt = r.Receipt with { BytesIn = 6 } }));
        Assert.Equal("receipt.bytesOut", Refused(r => r with { Receipt = r.Receipt with { BytesOut = 6 } }));
        Assert.Equal("receipt.status", Refused(r => r with { Receipt = r.Receipt with { Status = WorkStatus.Partial } }));
        Assert.Equal("receipt.contentRoot", Refused(r => r with { Receipt = r.Receipt with { ContentRoot = new('b', 64) } }));
        Assert.Equal("receipt.leaseId", Refused(r => r with { Receipt = r.Receipt with { LeaseId = "y" } }));
        Assert.Equal("receipt.sig", Refused(r => r with { Receipt = r.Receipt with { Sig = null } }));
        Assert.Equal("records", Refused(r => r with { Records = 2 }));
        Assert.Equal("contentRoot", Refused(r => r with { ContentRoot = "ABC" }));
        Assert.Equal("pages", Refused(r => r with { Pages = [r.Pages[0] with { Outcome = PageOutcome.TooLarge }] }));
        Assert.Equal("pages", Refused(r => r with { Pages = [null!] }));
        Assert.Equal("redactions", Refused(r => r with { Redactions = new Dictionary<string, int>(StringComparer.Ordinal) { ["name"] = 1 } }));
    }

    [Fact]
    public void Rules_are_checked_one_by_one()
    {
        Assert.Equal("bad_rules", Rules()?.Code);
        Assert.Equal("bad_field", Rules(new ExtractionRule("url", "a"))?.Code);
        Assert.Equal("bad_field", Rules(new ExtractionRule("1a", "a"))?.Code);
        Assert.Equal("bad_field", Rules(new ExtractionRule("a", "a"), new ExtractionRule("a", "b"))?.Code);
        Assert.Equal("bad_selector", Rules(new ExtractionRule("a", "!bad"))?.Code);
        Assert.Equal("rules[1].selector", Rules(new ExtractionRule("a", ":scope"), new ExtractionRule("b", "!bad"))?.Field);
        Assert.Equal("bad_attribute", Rules(new ExtractionRule("a", "a", "on click"))?.Code);

        static Rejection? Rules(params ExtractionRule[] rules) => ExtractionRules.Check(rules, null, Leases.AnySelector);
    }

    [Theory]
    [InlineData("a.example", "http://a.example/", true)]
    [InlineData("a.example", "https://A.EXAMPLE:8443/", true)]
    [InlineData("a.example:8443", "https://a.example/", false)]
    [InlineData("a.example:443", "https://a.example/", true)]
    [InlineData("*.example", "http://b.a.example/", true)]
    [InlineData("*.a.example", "http://a.example/", false)]
    [InlineData("a.example", "http://evila.example/", false)]
    [InlineData("a.example", "ftp://a.example/", false)]
    [InlineData("a.example", "http://user:pass@a.example/", false)]
    [InlineData("[::1]:80", "http://[::1]/", true)]
    [InlineData("bücher.example", "http://xn--bcher-kva.example/", false)]
    public void A_host_rule_admits_its_host_only(string rule, string url, bool admits) =>
        Assert.Equal(admits, HostRule.Admits([rule], new Uri(url)));

    private static string? Refused(Func<TaskResult, TaskResult> change) => NodeProtocolShapes.Check(change(Result()))?.Field;

    private static TaskResult Result()
    {
        var at = DateTimeOffset.UnixEpoch;
        var page = new PageResult("http://a.example/", "http://a.example/", 200, 5, Root, 1, at, at, PageOutcome.Fetched);
        return new TaskResult("lease_x", Root, 1, 9, Root, [page], new Dictionary<string, int>(StringComparer.Ordinal) { ["email"] = 1 }, Receipt);
    }
}

internal static class Leases
{
    internal static ISelectorSyntax AnySelector { get; } = new NoExclamationMark();

    internal static Lease Valid() => new(
        TypeId.Format("lease", Guid.Empty), TypeId.Format("task", Guid.Empty), TypeId.Format("collection", Guid.Empty), 1,
        DateTimeOffset.UnixEpoch, ["http://a.example/"], ["a.example"], [new ExtractionRule("title", "h1")],
        1024, 10, "age1x", Redact: true);

    private sealed class NoExclamationMark : ISelectorSyntax
    {
        public bool IsValid(string selector) => !selector.Contains('!', StringComparison.Ordinal);
    }
}
