using System.Text.Json;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.GraphQL;

namespace Lumora.Integration.Tests.Ledger;

/// <summary>Who reads what of the ledger through GraphQL, and what is told to whom asks badly.</summary>
public sealed class LedgerReadSpecs(LedgerApiFixture fixture) : IClassFixture<LedgerApiFixture>
{
    private static readonly string[] Fields =
    [
        """account(code: "CODE") { balance journalVersion }""",
        """balanceAt(code: "CODE", journalVersion: "VERSION") { balance journalVersion at lastEntry }""",
        """balanceAt(code: "CODE", at: "2100-01-01T00:00:00Z") { balance }""",
        """transactions(code: "CODE") { nodes { kind amount } }""",
        """statement(code: "CODE") { openingBalance closingBalance lines { nodes { event amount counterparties { code } } } }""",
        """holds(code: "CODE", status: CAPTURED) { nodes { number captured } }""",
        """hold(number: "HOLD") { code left }""",
        """accounts(prefix: "participant/ID") { nodes { code balance } }""",
        """balanceOf(prefix: "participant/ID") { accounts balance held }""",
        """ledgerTransaction(journalVersion: "VERSION") { event postings { from to amount } }""",
        """ledgerTransaction(actor: "system:test", transactionId: "pay/ID") { transactionId }""",
    ];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Owner_auditor_and_steward_see_what_a_stranger_an_old_token_and_another_user_do_not()
    {
        var story = await TellAsync();
        using var auditor = await fixture.AuditorAsync(Ct);
        using var steward = await fixture.StewardAsync(Ct);
        using var nobody = fixture.App.CreateClient();
        using var expired = await fixture.App.ExpiredClientAsync(story.Id, Ct);
        var (other, _) = await fixture.ParticipantAsync(Ct);
        foreach (var query in Fields.Select(field => story.Fill($"{{ it: {field} }}")))
        {
            foreach (var allowed in (HttpClient[])[story.Client, auditor, steward])
                Assert.Equal(JsonValueKind.Object, (await ItAsync(allowed, query)).ValueKind);
            Assert.Equal(JsonValueKind.Null, (await ItAsync(other, query)).ValueKind);
            foreach (var stranger in (HttpClient[])[nobody, expired])
                Assert.Equal("UNAUTHENTICATED", (await LedgerApiFixture.AskAsync(stranger, query, Ct)).Code());
        }
    }

    [Fact]
    public async Task By_a_reference_everybody_finds_what_they_took_part_in_and_only_that()
    {
        var story = await TellAsync();
        using var auditor = await fixture.AuditorAsync(Ct);
        var (other, _) = await fixture.ParticipantAsync(Ct);
        using var nobody = fixture.App.CreateClient();
        using var expired = await fixture.App.ExpiredClientAsync(story.Id, Ct);
        var byReference = story.Fill(
            """
            { it: ledgerTransactions(filter: { referenceType: "sale", referenceId: "ID" }) {
                nodes { event actor hold postings { from to amountFormatted } } } }
            """);
        var own = (await ItAsync(story.Client, byReference)).GetProperty("nodes");
        Assert.Equal(["HOLD_CAPTURED", "FUNDS_HELD"], own.EnumerateArray().Select(n => n.GetProperty("event").GetString()));
        // Two were paid by the capture; the one who holds the account sees both sides of both postings, but not who asked.
        Assert.Equal(2, own[0].GetProperty("postings").GetArrayLength());
        Assert.Equal(JsonValueKind.Null, own[0].GetProperty("actor").ValueKind);
        Assert.Equal(0, (await ItAsync(other, byReference)).GetProperty("nodes").GetArrayLength());
        var seen = (await ItAsync(auditor, byReference)).GetProperty("nodes");
        Assert.Equal("system:test", seen[0].GetProperty("actor").GetString());

        // One of the two payees sees its own posting alone.
        var paid = (await ItAsync(story.Payee, byReference)).GetProperty("nodes");
        Assert.Equal(1, paid.GetArrayLength());
        Assert.Equal(1, paid[0].GetProperty("postings").GetArrayLength());

        const string Everything = """{ it: ledgerTransactions(filter: { kind: "sale" }, first: 1) { nodes { kind } pageInfo { hasNextPage } } }""";
        Assert.Equal("FORBIDDEN", (await LedgerApiFixture.AskAsync(story.Client, Everything, Ct)).Code());
        Assert.Equal("UNAUTHENTICATED", (await LedgerApiFixture.AskAsync(nobody, Everything, Ct)).Code());
        Assert.Equal("UNAUTHENTICATED", (await LedgerApiFixture.AskAsync(expired, Everything, Ct)).Code());
        Assert.True((await ItAsync(auditor, Everything)).GetProperty("pageInfo").GetProperty("hasNextPage").GetBoolean());
    }

    [Fact]
    public async Task Sums_and_lists_of_aggregates_are_for_everyone_and_those_of_people_are_not()
    {
        var (client, _) = await fixture.ParticipantAsync(Ct);
        using var auditor = await fixture.AuditorAsync(Ct);
        foreach (var prefix in (string[])["network", "network/emission", "chain"])
        {
            Assert.Equal(JsonValueKind.Object, (await ItAsync(client, $$"""{ it: balanceOf(prefix: "{{prefix}}") { balance } }""")).ValueKind);
            Assert.Equal(JsonValueKind.Object, (await ItAsync(client, $$"""{ it: accounts(prefix: "{{prefix}}") { nodes { code } } }""")).ValueKind);
        }

        foreach (var prefix in (string[])["participant", "escrow", "suspense/participant", "clearing"])
        {
            var sum = $$"""{ it: balanceOf(prefix: "{{prefix}}") { balance accounts } }""";
            Assert.Equal(JsonValueKind.Null, (await ItAsync(client, sum)).ValueKind);
            Assert.Equal(JsonValueKind.Object, (await ItAsync(auditor, sum)).ValueKind);
            Assert.Equal(JsonValueKind.Null, (await ItAsync(client, $$"""{ it: accounts(prefix: "{{prefix}}") { nodes { code } } }""")).ValueKind);
        }

        var first = await ItAsync(client, """{ it: accounts(prefix: "network", first: 2) { nodes { code } pageInfo { endCursor } } }""");
        Assert.Equal(["network/burned", "network/emission"], first.GetProperty("nodes").EnumerateArray().Select(n => n.GetProperty("code").GetString()));
        var cursor = first.GetProperty("pageInfo").GetProperty("endCursor").GetString();
        var next = await ItAsync(client, $$"""{ it: accounts(prefix: "network", first: 1, after: "{{cursor}}") { nodes { code } } }""");
        Assert.Equal("network/fees", next.GetProperty("nodes")[0].GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_statement_opens_closes_and_names_the_other_side()
    {
        var story = await TellAsync();
        var statement = await ItAsync(story.Client, story.Fill(
            """
            { it: statement(code: "CODE", to: "2100-01-01T00:00:00Z") { openingBalance closingBalance closingBalanceFormatted journalVersion
                lines(last: 2) { nodes { event kind amount balance actor counterparties { code amount } reference { id } } } } }
            """));
        Assert.Equal("0", statement.GetProperty("openingBalance").GetString());
        Assert.Equal("85", statement.GetProperty("closingBalance").GetString());
        var lines = statement.GetProperty("lines").GetProperty("nodes");
        Assert.Equal(["HOLD_CAPTURED", "TRANSACTION_POSTED"], lines.EnumerateArray().Select(l => l.GetProperty("event").GetString()));
        Assert.Equal("-15", lines[0].GetProperty("amount").GetString());
        Assert.Equal(JsonValueKind.Null, lines[0].GetProperty("actor").ValueKind);
        Assert.Equal(
            [("network/fees", "-10"), (story.PayeeCode, "-5")],
            lines[0].GetProperty("counterparties").EnumerateArray()
                .Select(c => (c.GetProperty("code").GetString()!, c.GetProperty("amount").GetString()!)));
    }

    [Theory]
    [InlineData("""statement(code: "CODE", from: "2026-02-01T00:00:00Z", to: "2026-01-01T00:00:00Z") { code }""", "INVALID_RANGE")]
    [InlineData("""ledgerTransactions(filter: { referenceType: "sale", referenceId: "1", from: "2026-02-01T00:00:00Z", to: "2026-01-01T00:00:00Z" }) { nodes { kind } }""", "INVALID_RANGE")]
    [InlineData("""account(code: "CODE", asset: "lmr") { code }""", "INVALID_ARGUMENT")]
    [InlineData("""holds(code: "CODE", asset: "ATHIRTEENTHED") { nodes { code } }""", "INVALID_ARGUMENT")]
    [InlineData("""balanceAt(code: "CODE") { code }""", "INVALID_ARGUMENT")]
    [InlineData("""balanceAt(code: "CODE", at: "2026-02-01T00:00:00Z", journalVersion: "1") { code }""", "INVALID_ARGUMENT")]
    [InlineData("""balanceOf(prefix: "participant/") { accounts }""", "INVALID_ARGUMENT")]
    [InlineData("""balanceOf(prefix: "") { accounts }""", "INVALID_ARGUMENT")]
    [InlineData("""accounts(prefix: "people") { nodes { code } }""", "INVALID_ARGUMENT")]
    [InlineData("""ledgerTransactions(filter: { referenceType: "sale" }) { nodes { kind } }""", "INVALID_ARGUMENT")]
    [InlineData("""ledgerTransaction { kind }""", "INVALID_ARGUMENT")]
    [InlineData("""ledgerTransaction(actor: "system:test") { kind }""", "INVALID_ARGUMENT")]
    [InlineData("""ledgerTransaction(journalVersion: "1", transactionId: "a") { kind }""", "INVALID_ARGUMENT")]
    [InlineData("""holds(code: "CODE", first: 501) { nodes { code } }""", "PAGE_TOO_LARGE")]
    [InlineData("""transactions(code: "CODE", first: 0) { nodes { kind } }""", "INVALID_PAGE")]
    [InlineData("""holds(code: "CODE", after: "MTphYmM") { nodes { code } }""", "INVALID_CURSOR")]
    [InlineData("""accounts(prefix: "network", after: "MToA") { nodes { code } }""", "INVALID_CURSOR")]
    [InlineData("""statement(code: "CODE") { lines(before: "?") { nodes { kind } } }""", "INVALID_CURSOR")]
    [InlineData("""ledgerTransactions(filter: { referenceType: "sale", referenceId: "\u0000" }) { nodes { kind } }""", "BAD_REQUEST")]
    [InlineData("""hold(number: 5) { code }""", null)]
    [InlineData("""hold(number: "99999999999999999999") { code }""", null)]
    [InlineData("""balanceAt(code: "CODE", at: "yesterday") { code }""", null)]
    [InlineData("""holds(code: "CODE", status: LOST) { nodes { code } }""", null)]
    [InlineData("""account(code: ["CODE"]) { code }""", null)]
    public async Task Bad_input_is_answered_by_a_code_and_no_fault(string field, string? code)
    {
        var (client, id) = await fixture.ParticipantAsync(Ct);
        var query = field.Replace("CODE", ChartOfAccounts.Available(id), StringComparison.Ordinal);
        var answered = (await LedgerApiFixture.AskAsync(client, $"{{ it: {query} }}", Ct)).Code();
        Assert.NotNull(answered);
        Assert.NotEqual("INTERNAL", answered);
        Assert.True(code is null || code == answered, answered);
    }

    [Fact]
    public async Task An_asset_nobody_holds_is_an_account_that_is_not_there()
    {
        var story = await TellAsync();
        Assert.Equal(
            JsonValueKind.Null, (await ItAsync(story.Client, story.Fill("""{ it: account(code: "CODE", asset: "GOLD") { code } }"""))).ValueKind);
        Assert.Equal("0", (await ItAsync(
            story.Client, """{ it: balanceOf(prefix: "network", asset: "GOLD") { accounts } }""")).GetProperty("accounts").GetString());
    }

    /// <summary>Somebody gets 100; of a hold of 20, 15 are paid on: 10 as fees, 5 to somebody else.</summary>
    private async Task<Story> TellAsync()
    {
        var (client, id) = await fixture.ParticipantAsync(Ct);
        var (payee, payeeId) = await fixture.ParticipantAsync(Ct);
        var (code, payeeCode) = (ChartOfAccounts.Available(id), ChartOfAccounts.Available(payeeId));
        var paid = await fixture.PostedAsync(
            $"pay/{id}", new PostTransaction("grant", [new Posting(ChartOfAccounts.Emission, code, new Amount(100))]));
        var hold = await fixture.PostedAsync($"hold/{id}", new HoldFunds(
            "sale", code, new Amount(20), DateTimeOffset.UtcNow.AddDays(1), new TransactionReference("sale", id)));
        await fixture.PostedAsync($"capture/{id}", new CaptureHold(
            hold.JournalVersion,
            [new HoldPayment(ChartOfAccounts.Fees, new Amount(10)), new HoldPayment(payeeCode, new Amount(5))], Finish: true));
        return new Story(client, id, code, paid.JournalVersion, hold.JournalVersion, payee, payeeCode);
    }

    private static async Task<JsonElement> ItAsync(HttpClient client, string query)
    {
        var answer = await LedgerApiFixture.AskAsync(client, query, Ct);
        Assert.False(answer.TryGetProperty("errors", out _), answer.ToString());
        return answer.GetProperty("data").GetProperty("it");
    }

    private sealed record Story(
        HttpClient Client, string Id, string Code, long Version, long Hold, HttpClient Payee, string PayeeCode)
    {
        public string Fill(string query) => query
            .Replace("CODE", Code, StringComparison.Ordinal)
            .Replace("VERSION", $"{Version}", StringComparison.Ordinal)
            .Replace("HOLD\"", $"{Hold}\"", StringComparison.Ordinal)
            .Replace("ID", Id, StringComparison.Ordinal);
    }
}
