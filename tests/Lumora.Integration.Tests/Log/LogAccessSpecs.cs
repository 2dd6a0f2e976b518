using System.Net;
using Lumora.Chain.Log;
using Lumora.Cli.Audit;
using Lumora.Domain.Kernel;
using Lumora.Domain.Participants;
using Lumora.Integration.Tests.Cli;
using Lumora.Integration.Tests.GraphQL;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;

namespace Lumora.Integration.Tests.Log;

/// <summary><c>Log:Access=auditors</c>: entries for auditors only, checkpoints and proofs for everybody.</summary>
public sealed class LogAccessSpecs(LogAccessSpecs.Fixture fixture) : IClassFixture<LogAccessSpecs.Fixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Entries_are_for_auditors_and_what_proves_them_is_for_everybody()
    {
        var (id, _) = await LogBench.AppendAsync(fixture.App, "restricted", new string('x', 70_000));
        await LogBench.PublishedAsync(fixture.App, id);
        using var stranger = fixture.App.CreateClient();
        using var consumer = fixture.App.CreateClient();
        using var auditor = fixture.App.CreateClient();
        await new TestWallet().SignInAsync(consumer, Ct);
        await SignInAsAuditorAsync(auditor);
        var data = (await LogBench.AskAsync(auditor, "query($id: ID!) { event(id: $id) { detachedData { path } } }", new { id }))
            .At("data", "event", "detachedData", "path").GetString()!;
        var size = fixture.App.Get<ShardLogs>().Latest("main")!.Checkpoint.Size;

        foreach (var path in (string[])[$"/log/main/tile/entries/000.p/{size}", $"/log/main/entry/{id}", data, "/v1/events"])
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(stranger, path));
            Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(consumer, path));
            // No shared cache keeps it, and no page of another site reads it.
            using var answer = await auditor.GetAsync(path, Ct);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.True(answer.Headers.CacheControl!.Private);
            Assert.False(answer.Headers.CacheControl.Public);
            Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
        }

        foreach (var path in (string[])["/log/main/checkpoint", "/log/main/key", $"/log/main/tile/0/000.p/{size}", $"/log/main/proof/{id}"])
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(stranger, path));
    }

    [Fact]
    public async Task The_same_rule_holds_in_GraphQL()
    {
        var (id, _) = await LogBench.AppendAsync(fixture.App, "restricted-graph");
        await LogBench.PublishedAsync(fixture.App, id);
        using var stranger = fixture.App.CreateClient();
        using var consumer = fixture.App.CreateClient();
        using var auditor = fixture.App.CreateClient();
        await new TestWallet().SignInAsync(consumer, Ct);
        await SignInAsAuditorAsync(auditor);
        foreach (var field in (string[])["events { nodes { id } }", $"event(id: \"{id}\") {{ id }}"])
        {
            Assert.Equal("UNAUTHENTICATED", (await LogBench.AskAsync(stranger, $"{{ {field} }}")).Code());
            Assert.Equal("FORBIDDEN", (await LogBench.AskAsync(consumer, $"{{ {field} }}")).Code());
            Assert.False((await LogBench.AskAsync(auditor, $"{{ {field} }}")).TryGetProperty("errors", out _));
        }

        var open = await LogBench.AskAsync(stranger, "{ checkpoint { size } anchors { nodes { size } } }");
        Assert.False(open.TryGetProperty("errors", out _));
    }

    [Fact]
    public async Task A_whole_log_is_audited_with_an_auditors_token_and_not_without()
    {
        var (id, _) = await LogBench.AppendAsync(fixture.App, "audited", new string('y', 70_000));
        await LogBench.PublishedAsync(fixture.App, id);
        using var auditor = fixture.App.CreateClient();
        var token = await SignInAsAuditorAsync(auditor);
        var server = fixture.App.Address.AbsoluteUri.TrimEnd('/');

        var said = await LoggedHost.RunAsync(AuditCommand.Create(), "--server", server, "--token", token);
        said.Must(0, "proven offline", "long data apart from their leaves");
        var refused = await LoggedHost.RunAsync(AuditCommand.Create(), "--server", server);
        Assert.NotEqual(0, refused.ExitCode);
    }

    private async Task<string> SignInAsAuditorAsync(HttpClient client)
    {
        var wallet = new TestWallet();
        var participant = (await wallet.SignInAsync(client, Ct)).ParticipantId;
        var steward = new Actor("participant_steward", Roles.Steward);
        await using (var session = fixture.App.Get<ShardSessions>().Open(ShardRole.Global, steward))
        {
            var stream = await session.Events.FetchForWriting<Participant>(Participant.StreamOf(participant), Ct);
            var granted = ParticipantDecider.GrantRole(
                stream.Aggregate, steward, Roles.Auditor, "the yearly audit", TimeProvider.System.Now());
            stream.AppendMany(Assert.IsType<Decision.Accepted>(granted).Events);
            await session.SaveChangesAsync(Ct);
        }

        return (await wallet.SignInAsync(client, Ct)).AccessToken;
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string path)
    {
        using var response = await client.GetAsync(path, Ct);
        return response.StatusCode;
    }

    /// <summary>A host whose events are for auditors.</summary>
    public sealed class Fixture(TestDatabases databases) : AppFixture(databases)
    {
        protected override IReadOnlyDictionary<string, string> Settings { get; } =
            new Dictionary<string, string>(StringComparer.Ordinal) { ["Log:Access"] = "auditors" };
    }
}
