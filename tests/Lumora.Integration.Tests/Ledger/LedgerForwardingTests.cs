using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using Lumora.Api.Ledger;
using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using static Lumora.Integration.Tests.Ledger.LedgerHarness;

namespace Lumora.Integration.Tests.Ledger;

/// <summary>The door between the hosts, from outside.</summary>
public sealed class LedgerForwardingTests(TestDatabases databases)
{
    private static readonly string Path = LedgerSignature.PathOf("main");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Only_who_signs_with_the_secret_of_the_present_term_and_now_is_heard()
    {
        await using var hosts = await TwoHosts.StartAsync(databases);
        var (harness, writer, other) = hosts;
        await FundAsync(writer.Ledger, 2, 100);
        var lease = await ReadAsync(harness);
        using var client = new HttpClient { BaseAddress = writer.Address };
        var body = Line(Request("k", Pay(Account(0), Account(1), 1)));

        // What a stranger can do.
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(client, lease, body, signature: ""));
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(client, lease, body, signature: new string('0', 64)));
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(client, lease with { Secret = new byte[32] }, body));
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(client, lease, body, path: LedgerSignature.PathOf("other")));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await client.GetAsync(Path, Ct)).StatusCode);
        // What one can do who listened: another body, another time, later.
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(client, lease, body, sent: Line(Request("k2", Pay(Account(0), Account(1), 9)))));
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(client, lease, body, age: TimeSpan.FromSeconds(8)));
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(client, lease, body, age: TimeSpan.FromSeconds(-8)));
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(client, lease with { Term = lease.Term + 1 }, body));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, await PostAsync(client, lease, new byte[new LedgerOptions().ForwardBytesMax + 1]));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, await PostAsync(client, lease, Encoding.UTF8.GetBytes(new string('\n', 1_025))));
        // Heard where it is not decided, and heard and decided.
        using var elsewhere = new HttpClient { BaseAddress = other.Address };
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await PostAsync(elsewhere, lease, body));
        Assert.Equal(100, await harness.BalanceAsync(Account(1)));
        Assert.Equal(HttpStatusCode.OK, await PostAsync(client, lease, body));
        Assert.Equal(101, await harness.BalanceAsync(Account(1)));

        await writer.StopAsync();
        await other.Ledger.AskAsync(Request("next", Pay(Account(0), Account(1), 1)));
        var next = await ReadAsync(harness);
        Assert.Equal((lease.Term + 1, false), (next.Term, next.Secret.AsSpan().SequenceEqual(lease.Secret)));
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(elsewhere, lease, body));
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(elsewhere, lease with { Term = next.Term }, body));
        Assert.Equal(HttpStatusCode.OK, await PostAsync(elsewhere, next, body));
    }

    [Fact]
    public async Task A_line_that_cannot_be_read_costs_its_neighbours_nothing()
    {
        await using var harness = await LedgerHarness.StartAsync(databases);
        await using var writer = await LedgerHost.StartAsync(harness);
        await FundAsync(writer.Ledger, 2, 100);
        var lease = await ReadAsync(harness);
        using var client = new HttpClient { BaseAddress = writer.Address };
        byte[] body =
        [
            .. Line(Request("a", Pay(Account(0), Account(1), 1))), .. "[{\"of\":\"a newer host\"}]\n"u8,
            .. Line(Request("b", Pay(Account(0), Account(1), 1_000))),
        ];
        using var response = await SendAsync(client, lease, body);
        var answer = await response.Content.ReadAsByteArrayAsync(Ct);
        var lines = Encoding.UTF8.GetString(answer).TrimEnd('\n').Split('\n')
            .Select(line => LedgerWire.DecodeOutcomes(Encoding.UTF8.GetBytes(line))).ToList();
        Assert.IsType<LedgerOutcome.Posted>(Assert.Single(lines[0]!));
        Assert.Null(lines[1]);
        Assert.IsType<LedgerOutcome.Refused>(Assert.Single(lines[2]!));
        Assert.True(LedgerSignature.Matches(
            LedgerSignature.OfAnswer(lease.Secret, response.RequestMessage!.Headers.GetValues(LedgerSignature.Header).Single(), answer),
            response.Headers.GetValues(LedgerSignature.Header).Single()));
    }

    [Fact]
    public async Task While_nobody_writes_callers_wait_and_are_served_by_the_next_writer()
    {
        await using var harness = await LedgerHarness.StartAsync(databases);
        await using var host = await LedgerHost.StartAsync(harness);
        await host.StopAsync();
        await DieAsync(harness, "http://127.0.0.1:9", "1.5 seconds");
        var died = Stopwatch.GetTimestamp();
        await using var next = await LedgerHost.StartAsync(harness);
        await FundAsync(next.Ledger, 2, 100);
        Assert.True(Stopwatch.GetElapsedTime(died) >= TimeSpan.FromSeconds(1.4), "The next one wrote while the lease was the dead one's.");
        Assert.Equal((true, 3L), (next.Standing.IsWriter, next.Standing.Term));
    }

    [Fact]
    public async Task Who_finds_no_writer_in_time_is_told_that_the_outcome_is_unknown_and_a_full_queue_is_busy()
    {
        await using var harness = await LedgerHarness.StartAsync(databases);
        await using (var once = await LedgerHost.StartAsync(harness))
            await FundAsync(once.Ledger, 2, 100);
        await DieAsync(harness, "http://127.0.0.1:9", "1 hour");
        var options = new LedgerOptions { QueueLengthMax = 5, ForwardTimeLimit = TimeSpan.FromSeconds(5) };
        await using var host = await LedgerHost.StartAsync(harness, options);
        var waiting = Enumerable.Range(0, 5)
            .Select(i => host.Ledger.AskAsync(Request($"w{i}", Pay(Account(0), Account(1), 1)))).ToList();
        Assert.IsType<LedgerOutcome.Busy>(await host.Ledger.AskAsync(Request("w5", Pay(Account(0), Account(1), 1))));
        foreach (var lost in waiting)
            await Assert.ThrowsAsync<LedgerUnavailableException>(() => lost);
        // The room is free again.
        await Assert.ThrowsAsync<LedgerUnavailableException>(
            () => host.Ledger.AskAsync(Request("w6", Pay(Account(0), Account(1), 1))));
        Assert.Equal(100, await harness.BalanceAsync(Account(1)));
    }

    /// <summary>"Busy" promises that nothing was decided, and of a request that a writer has had nobody knows that.</summary>
    [Fact]
    public async Task A_request_that_a_writer_may_have_decided_waits_for_room_at_the_next_one_and_is_not_told_busy()
    {
        await using var hosts = await TwoHosts.StartAsync(databases, LedgerHost.Unhurried(o => (o.QueueLengthMax, o.BatchSizeMax) = (16, 4)));
        var (harness, first, second) = hosts;
        await FundAsync(first.Ledger, 2, 1_000);
        first.Freeze(inCommit: true);
        var asked = first.Ledger.AskAsync(Request("asked", Pay(Account(0), Account(1), 1)));
        await first.InCommit;
        await Patience.UntilAsync(() => second.Standing.IsWriter);
        Assert.IsType<LedgerOutcome.Posted>(await second.Ledger.AskAsync(Request("first-of-the-next", Pay(Account(0), Account(1), 1))));
        second.FreezeCommits();
        var full = Fill("early", 8);
        await second.InCommit;
        full.AddRange(Fill("late", 32));
        Assert.Contains(full, answer => answer.IsCompleted);

        // What it has decided meets the other writer's fence: it is to be decided again, by that one.
        first.Thaw();
        await Task.Delay(TimeSpan.FromSeconds(1), Ct);
        Assert.False(asked.IsCompleted);
        second.Thaw();
        Assert.IsType<LedgerOutcome.Posted>(await asked);
        var posted = (await Task.WhenAll(full)).Count(answer => answer is LedgerOutcome.Posted);
        Assert.InRange(posted, 1, full.Count - 1);
        Assert.Equal(1_000 + posted + 2, await harness.BalanceAsync(Account(1)));

        List<Task<LedgerOutcome>> Fill(string name, int count) => [.. Enumerable.Range(0, count)
            .Select(i => second.Ledger.AskAsync(Request($"{name}-{i}", Pay(Account(0), Account(1), 1))))];
    }

    [Fact]
    public async Task Nobody_who_listens_at_a_dead_writers_port_can_answer_for_it()
    {
        await using var harness = await LedgerHarness.StartAsync(databases);
        await using (var once = await LedgerHost.StartAsync(harness))
            await FundAsync(once.Ledger, 2, 100);
        await using var impostor = WebApplication.CreateSlimBuilder().Build();
        impostor.Urls.Add("http://127.0.0.1:0");
        var forged = LedgerWire.Encode([new LedgerOutcome.Posted("k", 99, DateTimeOffset.UnixEpoch, Replayed: false)]);
        var asked = 0;
        impostor.MapPost(Path, (HttpResponse response) =>
        {
            Interlocked.Increment(ref asked);
            response.Headers[LedgerSignature.Header] = new string('0', 64);
            return Results.Bytes([.. forged, (byte)'\n']);
        });
        await impostor.StartAsync(Ct);
        await DieAsync(harness, impostor.Urls.First(), "1 hour");
        await using var host = await LedgerHost.StartAsync(
            harness, new LedgerOptions { ForwardTimeLimit = TimeSpan.FromSeconds(3) });
        await Assert.ThrowsAsync<LedgerUnavailableException>(
            () => host.Ledger.AskAsync(Request("k", Pay(Account(0), Account(1), 1))));
        Assert.True(asked > 0);
        await impostor.StopAsync(Ct);
    }

    [Theory]
    [InlineData("http://127.0.0.1:5080", "http://127.0.0.1:5080")]
    [InlineData("http://0.0.0.0:8080", "http://127.0.0.1:8080")]
    [InlineData("http://[::]:8080", "http://127.0.0.1:8080")]
    [InlineData("http://*:80", "http://127.0.0.1:80")]
    [InlineData("https://lumora.example:443|http://10.0.0.5:5080", "http://10.0.0.5:5080")]
    [InlineData("https://lumora.example:8443", "https://lumora.example:8443")]
    [InlineData("", null)]
    public void The_published_address_is_one_that_can_be_called(string addresses, string? published) => Assert.Equal(
        published, LedgerAddress.OfServer(addresses.Split('|', StringSplitOptions.RemoveEmptyEntries)));

    private static byte[] Line(LedgerRequest request) => [.. LedgerWire.Encode([request]), (byte)'\n'];

    private static Task DieAsync(LedgerHarness harness, string address, string left) => harness.ExecuteAsync(
        $"""
        insert into ledger_lease values ('main', 1, 'somebody who died', '{address}', '\x00', clock_timestamp() + interval '{left}')
        on conflict (shard) do update set term = ledger_lease.term + 1, holder = excluded.holder, address = excluded.address,
          deadline = excluded.deadline
        """);

    private static async Task<Lease> ReadAsync(LedgerHarness harness)
    {
        await using var command = harness.Sessions.DataSource(ShardRole.Global).CreateCommand(
            "select term, secret from ledger_lease where shard = 'main'");
        await using var reader = await command.ExecuteReaderAsync(Ct);
        Assert.True(await reader.ReadAsync(Ct));
        return new Lease(reader.GetInt64(0), reader.GetFieldValue<byte[]>(1));
    }

    private static async Task<HttpStatusCode> PostAsync(
        HttpClient client, Lease lease, byte[] body, byte[]? sent = null, string? signature = null, string? path = null,
        TimeSpan age = default)
    {
        using var response = await SendAsync(client, lease, body, sent, signature, path, age);
        return response.StatusCode;
    }

    private static async Task<HttpResponseMessage> SendAsync(
        HttpClient client, Lease lease, byte[] body, byte[]? sent = null, string? signature = null, string? path = null,
        TimeSpan age = default)
    {
        var time = (DateTimeOffset.UtcNow - age).ToUnixTimeMilliseconds();
        using var request = new HttpRequestMessage(HttpMethod.Post, path ?? Path) { Content = new ByteArrayContent(sent ?? body) };
        request.Headers.Add(LedgerSignature.TermHeader, lease.Term.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add(LedgerSignature.TimeHeader, time.ToString(CultureInfo.InvariantCulture));
        // Who is refused for a long body is refused before it is sent, not in the middle of it.
        request.Headers.ExpectContinue = body.Length > 1_000_000;
        signature ??= LedgerSignature.OfRequest(lease.Secret, "POST", Path, lease.Term, time, body);
        if (signature.Length > 0)
            request.Headers.Add(LedgerSignature.Header, signature);
        return await client.SendAsync(request, Ct);
    }

    private sealed record Lease(long Term, byte[] Secret);
}
