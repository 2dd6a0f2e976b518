using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Lumora.Chain.Log;
using Lumora.Domain.Kernel;
using Lumora.Domain.Nodes;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;

namespace Lumora.Integration.Tests.Log;

/// <summary>The export over real connections: bounded, resumed where it was cut, and no faster than its reader.</summary>
public sealed class EventExportSpecs(EventExportSpecs.Fixture fixture) : IClassFixture<EventExportSpecs.Fixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private HttpClient Client => fixture.Client;

    private long Size => fixture.App.Get<ShardLogs>().Find(ShardMap.DefaultShard)!.Served.Size;

    [Theory]
    [InlineData("from=-1", HttpStatusCode.BadRequest, "invalid_range", "from")]
    [InlineData("from=one", HttpStatusCode.BadRequest, "invalid_range", "from")]
    [InlineData("from=1&from=2", HttpStatusCode.BadRequest, "invalid_argument", "from")]
    [InlineData("from=", HttpStatusCode.BadRequest, "invalid_argument", "from")]
    [InlineData("limit=0", HttpStatusCode.BadRequest, "invalid_range", "limit")]
    [InlineData("limit=99999999999999999999", HttpStatusCode.BadRequest, "invalid_range", "limit")]
    [InlineData("checkpoint=+1", HttpStatusCode.BadRequest, "invalid_range", "checkpoint")]
    [InlineData("from=7&checkpoint=6", HttpStatusCode.BadRequest, "invalid_range", "checkpoint")]
    [InlineData("after=nobody", HttpStatusCode.BadRequest, "invalid_argument", "after")]
    [InlineData("from=0&after=00000000-0000-0000-0000-000000000000", HttpStatusCode.BadRequest, "invalid_range", "after")]
    [InlineData("form=3", HttpStatusCode.BadRequest, "unknown_argument", "form")]
    [InlineData("after=00000000-0000-0000-0000-000000000000", HttpStatusCode.NotFound, "event_not_found", "after")]
    [InlineData("checkpoint=999999999", HttpStatusCode.NotFound, "checkpoint_not_published", "checkpoint")]
    [InlineData("from=999999999", HttpStatusCode.NotFound, "index_not_published", "from")]
    [InlineData("shard=other", HttpStatusCode.NotFound, "log_not_found", "shard")]
    public async Task A_wrong_argument_is_refused_with_a_code_and_its_name(string query, HttpStatusCode status, string code, string field)
    {
        using var response = await Client.GetAsync($"/v1/events?{query}", Ct);
        Assert.Equal(status, response.StatusCode);
        using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Ct));
        Assert.Equal(code, problem.RootElement.GetProperty("code").GetString());
        Assert.Equal(field, problem.RootElement.GetProperty("field").GetString());
    }

    [Fact]
    public async Task An_export_ends_at_the_checkpoint_or_after_so_many_lines()
    {
        var size = Size;
        Assert.Equal(size, (await LinesAsync("/v1/events")).Count);
        Assert.Equal(5, (await LinesAsync("/v1/events?from=2&checkpoint=7")).Count);
        Assert.Equal(3, (await LinesAsync("/v1/events?from=2&checkpoint=7&limit=3")).Count);
        Assert.Empty(await LinesAsync($"/v1/events?from={size}&checkpoint={size}"));

        using var head = await Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/v1/events?from=3"), Ct);
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.Equal("application/x-ndjson", head.Content.Headers.ContentType!.MediaType);
        Assert.Equal("3", Header(head, "Lumora-Leaf-Index"));
        Assert.True(long.Parse(Header(head, "Lumora-Log-Size"), CultureInfo.InvariantCulture) >= size);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_reader_whose_connection_was_cut_goes_on_exactly_where_it_was(bool byEvent)
    {
        var received = new List<string>();
        long size;
        using (var response = await Client.GetAsync("/v1/events", HttpCompletionOption.ResponseHeadersRead, Ct))
        {
            size = long.Parse(Header(response, "Lumora-Log-Size"), CultureInfo.InvariantCulture);
            await using var body = await response.Content.ReadAsStreamAsync(Ct);
            received.AddRange(WholeLines(await ReadAsync(body, 3_000_000)));
        }

        Assert.InRange(received.Count, 1, (int)size - 1);
        var (later, _) = await LogBench.AppendAsync(fixture.App, "later");
        await LogBench.PublishedAsync(fixture.App, later);

        using var last = JsonDocument.Parse(received[^1]);
        var where = byEvent ? $"after={last.RootElement.GetProperty("id").GetString()}" : $"from={received.Count}";
        using var rest = await Client.GetAsync($"/v1/events?{where}&checkpoint={size}", Ct);
        Assert.Equal($"{received.Count}", Header(rest, "Lumora-Leaf-Index"));
        received.AddRange(WholeLines(await rest.Content.ReadAsByteArrayAsync(Ct)));
        Assert.Equal(await LinesAsync($"/v1/events?checkpoint={size}"), received);
        Assert.Equal(size, received.Count);
    }

    [Fact]
    public async Task A_reader_that_does_not_read_fills_no_memory_of_the_host()
    {
        const long HeldBytesMax = 8 * 1024 * 1024;
        using var counter = new ReadBytes(fixture.App.Get<IMeterFactory>());
        var size = Size;
        using var slow = new TcpClient { ReceiveBufferSize = 64 * 1024 };
        await slow.ConnectAsync(fixture.App.Address.Host, fixture.App.Address.Port, Ct);
        await using var stream = slow.GetStream();
        // HTTP/1.0: the body ends with the connection, in no chunks.
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET /v1/events?checkpoint={size} HTTP/1.0\r\nHost: {fixture.App.Address.Authority}\r\n\r\n"), Ct);
        var begun = await ReadAsync(stream, 1_000);

        // While others read the whole export several times, the host reads no further for the one that waits.
        var whole = await Client.GetByteArrayAsync($"/v1/events?checkpoint={size}", Ct);
        for (var i = 0; i < 2; i++)
            Assert.Equal(whole.Length, (await Client.GetByteArrayAsync($"/v1/events?checkpoint={size}", Ct)).Length);
        Assert.True(whole.Length > 2 * HeldBytesMax);
        var forSlow = counter.Total - (3 * (whole.Length - size));
        Assert.InRange(forSlow, 1, HeldBytesMax);

        // And nothing is lost for it.
        using var rest = new MemoryStream();
        await stream.CopyToAsync(rest, Ct);
        byte[] answer = [.. begun, .. rest.ToArray()];
        var body = answer.AsSpan()[(answer.AsSpan().IndexOf("\r\n\r\n"u8) + 4)..];
        Assert.True(body.SequenceEqual(whole));
        Assert.Equal(4 * (whole.Length - size), counter.Total);
    }

    private static string Header(HttpResponseMessage response, string name) => response.Headers.GetValues(name).Single();

    private static async Task<byte[]> ReadAsync(Stream body, int least)
    {
        var bytes = new byte[least];
        await body.ReadExactlyAsync(bytes, Ct);
        return bytes;
    }

    // A line that was cut is no line.
    private static string[] WholeLines(byte[] bytes) => Encoding.UTF8.GetString(bytes).Split('\n')[..^1];

    private async Task<List<string>> LinesAsync(string path) => [.. WholeLines(await Client.GetByteArrayAsync(path, Ct))];

    /// <summary>What a host's exports have read from its database.</summary>
    private sealed class ReadBytes : IDisposable
    {
        private readonly MeterListener _listener = new();
        private long _total;

        public ReadBytes(IMeterFactory meters)
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "lumora.log.export.read" && ReferenceEquals(instrument.Meter.Scope, meters))
                    listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((_, bytes, _, _) => Interlocked.Add(ref _total, bytes));
            _listener.Start();
        }

        public long Total => Interlocked.Read(ref _total);

        public void Dispose() => _listener.Dispose();
    }

    /// <summary>A log of more than 20 MB.</summary>
    public sealed class Fixture(TestDatabases databases) : AppFixture(databases), IAsyncLifetime
    {
        private const int Batches = 5;
        private const int BatchEvents = 80;

        async ValueTask IAsyncLifetime.InitializeAsync()
        {
            await InitializeAsync();
            for (var batch = 0; batch < Batches; batch++)
            {
                await using var session = App.Get<ShardSessions>().Open(ShardRole.Region, Actor.System("test"));
                for (var i = 0; i < BatchEvents; i++)
                {
                    var stream = $"node/{Guid.NewGuid():N}";
                    session.Events.StartStream<NodeState>(stream, new NodeRegistered(
                        stream, "participant_test", new string('r', 60_000), NodeAllowance.Default, TimeProvider.System.Now()));
                }

                await session.SaveChangesAsync(CancellationToken.None);
            }

            var (last, _) = await LogBench.AppendAsync(App, "last");
            await LogBench.PublishedAsync(App, last);
        }
    }
}
