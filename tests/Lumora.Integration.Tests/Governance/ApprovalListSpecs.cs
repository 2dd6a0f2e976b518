using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Lumora.Api.Governance;
using Lumora.Domain.Governance;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Ledger;
using Lumora.Projections.EventStore;
using Lumora.Projections.Governance;
using Lumora.Projections.Participants;

namespace Lumora.Integration.Tests.Governance;

/// <summary>The list of approvals: pages, newest first, by where they stand, by an index.</summary>
public sealed class ApprovalListSpecs(GovernanceFixture fixture) : IClassFixture<GovernanceFixture>
{
    private const int Rows = 50_000;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Stewards_see_all_newest_first_page_by_page_and_by_state()
    {
        var (anna, bert, _) = await fixture.StewardsAsync();
        var somebody = await Person.NewAsync(fixture.App, 0);
        var asked = new List<string>();
        for (var i = 0; i < 5; i++)
            asked.Add((await anna.GovernAsync($"{somebody.Code}{i}", new FreezeAccount(somebody.Code, "LMR", "Stolen."))).ApprovalId!);
        await bert.ApproveAsync(asked[1]);
        await bert.ApproveAsync(asked[2]);
        await bert.DeclineAsync(asked[3]);
        var late = await fixture.App.AskedLongAgoAsync(anna, "late", new FreezeAccount(somebody.Code, "LMR", "Stolen."));

        string[] all = [asked[4], asked[3], asked[2], asked[1], asked[0], late];
        var (first, next) = await PageAsync(bert, "first: 4");
        var (rest, _) = await PageAsync(bert, $"first: 4, after: \"{next}\"");
        Assert.Equal(all, first.Concat(rest));
        Assert.Equal(all.TakeLast(2), (await PageAsync(bert, "last: 2")).Ids);
        Assert.Equal([asked[4], asked[0]], (await PageAsync(bert, "state: PENDING")).Ids);
        Assert.Equal([asked[1]], (await PageAsync(bert, "state: GRANTED")).Ids);
        Assert.Equal([asked[2]], (await PageAsync(bert, "state: FAILED")).Ids);
        Assert.Equal([asked[3]], (await PageAsync(bert, "state: DECLINED")).Ids);
        Assert.Equal([late], (await PageAsync(bert, "state: EXPIRED")).Ids);

        var one = (await AskAsync(bert.Client, $$"""{ approval(id: "{{asked[2]}}") {{PowerGraph.ApprovalFields}} }"""))
            .GetProperty("data").GetProperty("approval");
        Assert.Equal(("FAILED", LedgerCodes.AccountFrozen), (one.GetProperty("state").GetString(), one.GetProperty("failureCode").GetString()));
        Assert.Equal(
            JsonValueKind.Null,
            (await AskAsync(bert.Client, """{ approval(id: "nothing") { id } }""")).GetProperty("data").GetProperty("approval").ValueKind);
        var foreign = await AskAsync(bert.Client, """{ approvals(after: "MTpub3RoaW5n") { nodes { id } } }""");
        Assert.Equal("INVALID_CURSOR", foreign.GetProperty("errors")[0].GetProperty("extensions").GetProperty("code").GetString());

        using var stranger = fixture.App.CreateClient();
        foreach (var (client, status) in ((HttpClient, HttpStatusCode)[])
            [(stranger, HttpStatusCode.Unauthorized), (somebody.Client, HttpStatusCode.Forbidden)])
        {
            using var refused = await client.PostAsJsonAsync("/graphql", new { query = "{ approvals { nodes { id } } }" }, Ct);
            Assert.Equal(status, refused.StatusCode);
        }
    }

    [Fact]
    public async Task A_page_is_found_by_an_index_among_very_many()
    {
        var now = TimeProvider.System.Now();
        var source = fixture.App.Get<ShardSessions>().DataSource(ShardRole.Global);
        await FillAsync(Rows, perDay: 50);
        try
        {
            var middle = $"{now.AddDays(-700).ToWire()}/";
            foreach (var state in (ApprovalState?[])[null, .. Enum.GetValues<ApprovalState>()])
            {
                foreach (var range in (ApprovalRange[])
                    [new(101), new(101, After: middle), new(101, Before: middle, OldestFirst: true)])
                {
                    var query = ApprovalQueries.List(state, range, now);
                    foreach (var mode in (string[])["force_custom_plan", "force_generic_plan"])
                    {
                        var plan = await ExplainedPlan.OfAsync(source, query, mode, Ct);
                        Assert.DoesNotContain(plan.Scans, scan => scan.StartsWith("Seq Scan", StringComparison.Ordinal));
                        Assert.True(plan.Buffers <= 250, $"{state}, {range}, {mode}: {plan.Buffers} pages: {plan.Text}");
                    }
                }
            }
        }
        finally
        {
            await ClearAsync();
        }
    }

    [Fact]
    public async Task Another_steward_is_found_by_an_index_among_very_many_participants()
    {
        var (anna, _, _) = await fixture.StewardsAsync();
        var directory = fixture.App.Get<ParticipantDirectory>();
        await RunAsync(string.Create(CultureInfo.InvariantCulture, $$"""
            insert into mt_doc_participant (id, data)
            select 'participant/many-' || i, '{"roles": "Provider, Consumer"}' from generate_series(1, {{Rows}}) i;
            analyze mt_doc_participant
            """));
        try
        {
            Assert.True(await directory.HasOtherStewardAsync(anna.Actor.Id, Ct));
            var stored = (string[])["Steward", "Provider, Consumer, Steward", "Consumer, Steward"];
            foreach (var mode in (string[])["force_custom_plan", "force_generic_plan"])
            {
                var plan = await ExplainedPlan.OfAsync(
                    fixture.App.Get<ShardSessions>().DataSource(ShardRole.Global),
                    ParticipantDirectory.OtherSteward(stored, anna.Actor.Id), mode, Ct);
                Assert.DoesNotContain(plan.Scans, scan => scan.StartsWith("Seq Scan", StringComparison.Ordinal));
                Assert.True(plan.Buffers <= 20, plan.Text);
            }
        }
        finally
        {
            await RunAsync("delete from mt_doc_participant where id like 'participant/many-%'");
        }
    }

    [Fact]
    public async Task Not_more_than_a_thousand_wait_at_a_time()
    {
        var (anna, _, _) = await fixture.StewardsAsync();
        var somebody = await Person.NewAsync(fixture.App, 0);
        await FillAsync(Approvals.PendingMax, perDay: -1_000);
        try
        {
            var refused = await anna.GovernAsync(somebody.Code, new FreezeAccount(somebody.Code, "LMR", "Stolen."));
            Assert.Equal((ApprovalCodes.TooMany, null), (refused.Code, refused.ApprovalId));
        }
        finally
        {
            await ClearAsync();
        }
    }

    // So many a day back into the past, a tenth of them pending; when negative, into the future and all pending.
    private async Task FillAsync(int rows, int perDay)
    {
        await RunAsync(string.Create(CultureInfo.InvariantCulture, $$"""
            insert into mt_doc_approval (id, data)
            select 'approval/approval_' || lpad(i::text, 26, '0'), jsonb_build_object(
              'key', 'many-' || i, 'place', place,
              'placeInState', case when {{perDay}} < 0 or i % 10 = 0 then 'pending/' else 'granted/' end || place)
            from generate_series(1, {{rows}}) i
            cross join lateral (select
              to_char(now() at time zone 'utc' - i * interval '1 day' / {{perDay}}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
                || '/approval_' || lpad(i::text, 26, '0') as place) p
            """));
        await RunAsync("analyze mt_doc_approval");
    }

    private Task ClearAsync() => RunAsync("delete from mt_doc_approval where data ->> 'key' like 'many-%'");

    private async Task RunAsync(string sql)
    {
        await using var command = fixture.App.Get<ShardSessions>().DataSource(ShardRole.Global).CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
    }

    private static async Task<(IReadOnlyList<string> Ids, string? Next)> PageAsync(Person steward, string arguments)
    {
        var page = (await AskAsync(
            steward.Client, $$"""{ approvals({{arguments}}) { nodes { id } pageInfo { endCursor } } }""")).GetProperty("data").GetProperty("approvals");
        return (
            [.. page.GetProperty("nodes").EnumerateArray().Select(node => node.GetProperty("id").GetString()!)],
            page.GetProperty("pageInfo").GetProperty("endCursor").GetString());
    }

    private static async Task<JsonElement> AskAsync(HttpClient client, string query)
    {
        using var response = await client.PostAsJsonAsync("/graphql", new { query }, Ct);
        return JsonDocument.Parse(await response.Content.ReadAsStringAsync(Ct)).RootElement;
    }
}
