using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Lumora.Api.Ledger;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;

namespace Lumora.Integration.Tests.Ledger;

/// <summary>Statements as files.</summary>
public sealed class StatementExportSpecs(LedgerApiFixture fixture) : IClassFixture<LedgerApiFixture>
{
    private const string Header =
        "journal_version,at,transaction_id,event,kind,amount,amount_formatted,balance,balance_formatted,asset,"
        + "reference_type,reference_id,counterparties,actor";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_statement_is_a_csv_file_of_the_lines_between_opening_and_closing()
    {
        var (client, code, versions) = await PaidAsync(1_500_000_000, 2);
        using var response = await client.GetAsync(Path(code), Ct);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/csv", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal("attachment", response.Content.Headers.ContentDisposition!.DispositionType);
        Assert.EndsWith("-LMR.csv", response.Content.Headers.ContentDisposition.FileName!.Trim('"'), StringComparison.Ordinal);
        var text = await response.Content.ReadAsStringAsync(Ct);
        Assert.EndsWith("\r\n", text, StringComparison.Ordinal);
        var records = text.Split("\r\n");
        Assert.Equal(Header, records[0]);
        Assert.Equal("0,,,opening,,,,0,0,LMR,,,,", records[1]);
        Assert.StartsWith($"{versions[0]},", records[2], StringComparison.Ordinal);
        Assert.EndsWith(
            ",transaction_posted,test,1500000000,1.5,1500000000,1.5,LMR,grant,0,network/emission:1500000000,", records[2],
            StringComparison.Ordinal);
        Assert.Contains(",2,0.000000002,1500000002,1.500000002,LMR,", records[3], StringComparison.Ordinal);
        Assert.EndsWith(",,,closing,,,,1500000002,1.500000002,LMR,,,,", records[4], StringComparison.Ordinal);
        Assert.Equal(records[4].Split(',')[0], response.Headers.GetValues("Lumora-Journal-Version").Single());
        Assert.Equal(6, records.Length);
    }

    [Fact]
    public async Task What_others_wrote_is_quoted_and_never_a_formula()
    {
        var (client, code, _) = await PaidAsync();
        await PayAsync("=1+1", code, 1, "=HYPERLINK(\"http://a\",\"b\")");
        await PayAsync("+a", code, 1, "-2, or so");
        await PayAsync("@a", code, 1, "plain");
        var records = (await client.GetStringAsync(Path(code), Ct)).Split("\r\n");
        Assert.Contains(",'=1+1,transaction_posted,", records[2], StringComparison.Ordinal);
        Assert.Contains(",\"'=HYPERLINK(\"\"http://a\"\",\"\"b\"\")\",", records[2], StringComparison.Ordinal);
        Assert.Contains(",'+a,transaction_posted,", records[3], StringComparison.Ordinal);
        Assert.Contains(",\"'-2, or so\",", records[3], StringComparison.Ordinal);
        Assert.Contains(",'@a,transaction_posted,", records[4], StringComparison.Ordinal);
        Assert.Contains(",plain,", records[4], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_limited_file_says_where_to_go_on_and_the_parts_join_up()
    {
        var (client, code, versions) = await PaidAsync(1, 2, 3, 4, 5);
        var (found, after) = (new List<string>(), "0");
        while (true)
        {
            var records = (await client.GetStringAsync(Path(code, $"?limit=2&after={after}"), Ct)).Split("\r\n");
            Assert.Equal(Header, records[0]);
            found.AddRange(records.Where(r => r.Contains(",transaction_posted,", StringComparison.Ordinal)).Select(r => r.Split(',')[0]));
            var last = records[^2].Split(',');
            if (last[3] == "closing")
                break;
            Assert.Equal("continues", last[3]);
            Assert.Equal(found[^1], last[0]);
            after = last[0];
        }

        Assert.Equal(versions.Select(version => $"{version}"), found);
    }

    [Fact]
    public async Task A_period_ends_before_its_end()
    {
        var (client, code, _) = await PaidAsync(1, 2, 3);
        var all = (await client.GetStringAsync(Path(code), Ct)).Split("\r\n");
        var at = all[4].Split(',')[1];
        var until = (await client.GetStringAsync(Path(code, $"?to={at}"), Ct)).Split("\r\n");
        var from = (await client.GetStringAsync(Path(code, $"?from={at}"), Ct)).Split("\r\n");
        Assert.Equal(all[2..4], until[2..4]);
        Assert.Contains(",closing,,,,3,", until[4], StringComparison.Ordinal);
        Assert.Contains(",opening,,,,3,", from[1], StringComparison.Ordinal);
        Assert.Equal(all[4..6], from[2..4]);
    }

    [Fact]
    public async Task The_file_is_for_whom_the_statement_is()
    {
        var (client, code, _) = await PaidAsync(1);
        var (other, _) = await fixture.ParticipantAsync(Ct);
        using var auditor = await fixture.AuditorAsync(Ct);
        using var steward = await fixture.StewardAsync(Ct);
        using var nobody = fixture.App.CreateClient();
        using var expired = await fixture.App.ExpiredClientAsync(code.Split('/')[1], Ct);
        Assert.Contains(",system:test\r\n", await auditor.GetStringAsync(Path(code), Ct), StringComparison.Ordinal);
        Assert.Contains(",closing,", await steward.GetStringAsync(Path(ChartOfAccounts.Emission), Ct), StringComparison.Ordinal);
        await AssertRefusedAsync(other, Path(code), HttpStatusCode.NotFound, "account_not_found");
        await AssertRefusedAsync(client, Path(ChartOfAccounts.Emission), HttpStatusCode.NotFound, "account_not_found");
        await AssertRefusedAsync(nobody, Path(code), HttpStatusCode.Unauthorized, "unauthenticated");
        await AssertRefusedAsync(expired, Path(code), HttpStatusCode.Unauthorized, "token_expired");
    }

    [Theory]
    [InlineData("?from=yesterday", "invalid_time")]
    [InlineData("?to=2026-01-01", "invalid_time")]
    [InlineData("?from=2026-01-01T00:00:00Z&from=2026-01-01T00:00:00Z", "invalid_time")]
    [InlineData("?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z", "invalid_range")]
    [InlineData("?after=-1", "invalid_cursor")]
    [InlineData("?after=99999999999999999999", "invalid_cursor")]
    [InlineData("?limit=0", "invalid_limit")]
    [InlineData("?limit=1000001", "invalid_limit")]
    [InlineData("?asset=%00", "invalid_asset")]
    [InlineData("?asset=lmr", "invalid_asset")]
    public async Task A_bad_request_is_a_problem_with_a_code(string query, string code)
    {
        var (client, account, _) = await PaidAsync(1);
        await AssertRefusedAsync(client, Path(account, query), HttpStatusCode.BadRequest, code);
    }

    [Theory]
    [InlineData("no%20such%20code")]
    [InlineData("participant%2F%00%2Favailable")]
    [InlineData("..%2Fadmin")]
    [InlineData("participant%252Fx%252Favailable")]
    public async Task A_code_that_is_none_is_an_account_that_is_not_there(string code)
    {
        using var auditor = await fixture.AuditorAsync(Ct);
        using var response = await auditor.GetAsync($"/v1/ledger/accounts/{code}/statement.csv", Ct);
        Assert.True(response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.BadRequest, $"{response.StatusCode}");
    }

    [Fact]
    public async Task Who_does_not_read_stops_the_writing()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 64 * 1024, resumeWriterThreshold: 1));
        var csv = new CsvWriter(pipe.Writer);
        ValueTask<FlushResult> written = default;
        for (var i = 0; i < 1_000 && written.IsCompleted; i++)
            written = csv.Field(new string('x', 1_000)).EndAsync(Ct);
        Assert.False(written.IsCompleted);
        var read = await pipe.Reader.ReadAsync(Ct);
        Assert.InRange(read.Buffer.Length, 1, 100 * 1024);
        pipe.Reader.AdvanceTo(read.Buffer.End);
        await written;
    }

    private static string Path(string code, string query = "") =>
        $"/v1/ledger/accounts/{Uri.EscapeDataString(code)}/statement.csv{query}";

    private static async Task AssertRefusedAsync(HttpClient client, string path, HttpStatusCode status, string code)
    {
        using var response = await client.GetAsync(path, Ct);
        Assert.Equal(status, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = await response.Content.ReadFromJsonAsync<JsonElement>(Ct);
        Assert.Equal(code, problem.GetProperty("code").GetString());
    }

    private Task<LedgerOutcome.Posted> PayAsync(string key, string code, long units, string reference) =>
        fixture.PostedAsync(key, new PostTransaction(
            "test", [new Posting(ChartOfAccounts.Emission, code, new Amount(units))], new TransactionReference("grant", reference)));

    private async Task<(HttpClient Client, string Code, List<long> Versions)> PaidAsync(params long[] units)
    {
        var (client, id) = await fixture.ParticipantAsync(Ct);
        var (code, versions) = (ChartOfAccounts.Available(id), new List<long>());
        for (var i = 0; i < units.Length; i++)
            versions.Add((await PayAsync($"pay/{id}/{i}", code, units[i], $"{i}")).JournalVersion);
        return (client, code, versions);
    }
}
