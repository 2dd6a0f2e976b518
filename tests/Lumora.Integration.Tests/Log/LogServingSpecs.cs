using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Lumora.Chain.Log;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;

namespace Lumora.Integration.Tests.Log;

/// <summary>What HTTP adds to the log's files: conditions, parts, compression, and pages of other sites.</summary>
public sealed class LogServingSpecs(LogServingSpecs.Fixture fixture) : IClassFixture<LogServingSpecs.Fixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private HttpClient Client => fixture.Client;

    [Theory]
    [InlineData("/log/main/checkpoint", "no-cache")]
    [InlineData("/log/main/key", "no-cache")]
    [InlineData("/log/main/proof/{id}", "no-cache")]
    [InlineData("/log/main/tile/0/000", "public, max-age=31536000, immutable")]
    [InlineData("/log/main/tile/0/001.p/{width}", "public, max-age=31536000, immutable")]
    [InlineData("/log/main/tile/1/000.p/1", "public, max-age=31536000, immutable")]
    [InlineData("/log/main/tile/entries/000", "public, max-age=31536000, immutable")]
    [InlineData("/log/main/tile/entries/001.p/{width}", "public, max-age=31536000, immutable")]
    [InlineData("/log/main/entry/{id}", "public, max-age=31536000, immutable")]
    [InlineData("/log/main/{data}", "public, max-age=31536000, immutable")]
    public async Task Every_file_has_a_head_and_a_tag_and_is_not_sent_twice(string path, string cacheControl)
    {
        path = fixture.Path(path);
        using var got = await Client.GetAsync(path, Ct);
        Assert.Equal(HttpStatusCode.OK, got.StatusCode);
        Assert.Equal(CacheControlHeaderValue.Parse(cacheControl), got.Headers.CacheControl);
        Assert.NotEmpty(await got.Content.ReadAsByteArrayAsync(Ct));

        using var head = await SendAsync(HttpMethod.Head, path);
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.Equal(got.Content.Headers.ContentLength, head.Content.Headers.ContentLength);
        Assert.Equal(got.Content.Headers.ContentType, head.Content.Headers.ContentType);
        Assert.Equal(got.Headers.ETag, head.Headers.ETag);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync(Ct));

        using var again = await SendAsync(HttpMethod.Get, path, request => request.Headers.IfNoneMatch.Add(got.Headers.ETag!));
        Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
        Assert.Empty(await again.Content.ReadAsByteArrayAsync(Ct));
        using var other = await SendAsync(
            HttpMethod.Get, path, request => request.Headers.IfNoneMatch.Add(new EntityTagHeaderValue("\"other\"")));
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
    }

    [Theory]
    [InlineData("/log/main/checkpoint")]
    [InlineData("/log/main/key")]
    [InlineData("/log/main/proof/{id}")]
    [InlineData("/log/main/tile/0/000")]
    [InlineData("/log/main/tile/entries/000")]
    [InlineData("/log/main/entry/{id}")]
    [InlineData("/log/main/{data}")]
    [InlineData("/v1/events")]
    public async Task Pages_of_other_sites_may_read_the_log(string path)
    {
        path = fixture.Path(path);
        using var asked = await SendAsync(HttpMethod.Options, path, request =>
        {
            request.Headers.Add("Origin", "https://auditor.example");
            request.Headers.Add("Access-Control-Request-Method", "GET");
            request.Headers.Add("Access-Control-Request-Headers", "if-none-match");
        });
        Assert.Equal(HttpStatusCode.NoContent, asked.StatusCode);
        Assert.Equal("*", Header(asked, "Access-Control-Allow-Origin"));
        Assert.Contains("GET", Header(asked, "Access-Control-Allow-Methods"), StringComparison.Ordinal);
        Assert.Contains("If-None-Match", Header(asked, "Access-Control-Allow-Headers"), StringComparison.Ordinal);

        using var got = await SendAsync(HttpMethod.Head, path);
        Assert.Equal("*", Header(got, "Access-Control-Allow-Origin"));
        Assert.Contains("Lumora-Leaf-Index", Header(got, "Access-Control-Expose-Headers"), StringComparison.Ordinal);
        using var posted = await SendAsync(HttpMethod.Post, path);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, posted.StatusCode);
    }

    [Theory]
    [InlineData("/graphql?query=%7Bcheckpoint%7Bsize%7D%7D")]
    [InlineData("/healthz")]
    [InlineData("/v1/auth/nonce")]
    public async Task Nothing_else_is_for_pages_of_other_sites(string path)
    {
        foreach (var method in (HttpMethod[])[HttpMethod.Options, HttpMethod.Get, HttpMethod.Post])
        {
            using var answer = await SendAsync(method, path, request => request.Headers.Add("Origin", "https://auditor.example"));
            Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
        }
    }

    [Theory]
    [InlineData("/log/main/tile/entries/000")]
    [InlineData("/log/main/tile/entries/001.p/{width}")]
    [InlineData("/log/main/{data}")]
    public async Task Entries_are_gzipped_for_whoever_takes_that(string path)
    {
        path = fixture.Path(path);
        using var plain = await Client.GetAsync(path, Ct);
        Assert.Empty(plain.Content.Headers.ContentEncoding);
        Assert.Contains("Accept-Encoding", plain.Headers.Vary);
        var bytes = await plain.Content.ReadAsByteArrayAsync(Ct);

        using var zipped = await SendAsync(HttpMethod.Get, path, TakesGzip);
        Assert.Equal("gzip", Assert.Single(zipped.Content.Headers.ContentEncoding));
        Assert.Contains("Accept-Encoding", zipped.Headers.Vary);
        Assert.Equal(plain.Headers.CacheControl, zipped.Headers.CacheControl);
        Assert.Equal(plain.Content.Headers.ContentType, zipped.Content.Headers.ContentType);
        Assert.NotEqual(plain.Headers.ETag, zipped.Headers.ETag);
        var sent = await zipped.Content.ReadAsByteArrayAsync(Ct);
        Assert.True(sent.Length < bytes.Length / 2, $"{sent.Length} of {bytes.Length}");
        Assert.Equal(bytes, await UnzipAsync(sent));

        using var known = await SendAsync(HttpMethod.Get, path, request =>
        {
            TakesGzip(request);
            request.Headers.IfNoneMatch.Add(zipped.Headers.ETag!);
        });
        Assert.Equal(HttpStatusCode.NotModified, known.StatusCode);
        Assert.Contains("Accept-Encoding", known.Headers.Vary);
        using var head = await SendAsync(HttpMethod.Head, path, TakesGzip);
        Assert.Equal("gzip", Assert.Single(head.Content.Headers.ContentEncoding));
        using var never = await SendAsync(HttpMethod.Get, path, request => request.Headers.Add("Accept-Encoding", "gzip;q=0, br"));
        Assert.Equal(bytes, await never.Content.ReadAsByteArrayAsync(Ct));
    }

    [Fact]
    public async Task Hashes_are_sent_as_they_are()
    {
        using var tile = await SendAsync(HttpMethod.Get, "/log/main/tile/0/000", TakesGzip);
        Assert.Empty(tile.Content.Headers.ContentEncoding);
        Assert.Equal(8192, (await tile.Content.ReadAsByteArrayAsync(Ct)).Length);
    }

    [Theory]
    [InlineData("/log/main/tile/0/000", false)]
    [InlineData("/log/main/tile/entries/000", false)]
    [InlineData("/log/main/tile/entries/000", true)]
    public async Task A_file_that_has_not_changed_since_is_not_sent(string path, bool gzip)
    {
        using var got = await SendAsync(HttpMethod.Get, path, Encoding);
        var modified = got.Content.Headers.LastModified!.Value;
        foreach (var (seconds, status) in ((int, HttpStatusCode)[])[(0, HttpStatusCode.NotModified), (1, HttpStatusCode.NotModified), (-1, HttpStatusCode.OK)])
        {
            using var answer = await SendAsync(HttpMethod.Get, path, request =>
            {
                Encoding(request);
                request.Headers.IfModifiedSince = modified.AddSeconds(seconds);
            });
            Assert.Equal(status, answer.StatusCode);
        }

        void Encoding(HttpRequestMessage request)
        {
            if (gzip)
                TakesGzip(request);
        }
    }

    [Fact]
    public async Task A_part_of_a_bundle_is_one_of_its_own_bytes()
    {
        var whole = await Client.GetByteArrayAsync("/log/main/tile/entries/000", Ct);
        using var part = await SendAsync(HttpMethod.Get, "/log/main/tile/entries/000", request =>
        {
            TakesGzip(request);
            request.Headers.Range = new RangeHeaderValue(100, 299);
        });
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal(whole.Length, part.Content.Headers.ContentRange!.Length);
        Assert.Equal(whole[100..300], await part.Content.ReadAsByteArrayAsync(Ct));
        using var beyond = await SendAsync(
            HttpMethod.Get, "/log/main/tile/entries/000", request => request.Headers.Range = new RangeHeaderValue(whole.Length, null));
        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, beyond.StatusCode);
    }

    [Theory]
    [InlineData("/log/main/tile/0/999", "tile_not_found")]
    [InlineData("/log/main/tile/zero/000", "path_not_found")]
    [InlineData("/log/main/tile/0/001.p/256", "tile_not_found")]
    [InlineData("/log/main/proof/nothing", "path_not_found")]
    [InlineData("/log/main/data/0000000000000000000000000000000000000000000000000000000000000000", "data_not_found")]
    [InlineData("/log/main", "path_not_found")]
    public async Task What_is_not_there_yet_is_a_coded_404_that_no_cache_keeps(string path, string code)
    {
        using var response = await Client.GetAsync(path, Ct);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        Assert.True(response.Headers.CacheControl is { NoCache: true } or { NoStore: true });
        using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Ct));
        Assert.Equal(code, problem.RootElement.GetProperty("code").GetString());
    }

    private static void TakesGzip(HttpRequestMessage request) => request.Headers.Add("Accept-Encoding", "br, gzip;q=0.5");

    private static string Header(HttpResponseMessage response, string name) => string.Join(", ", response.Headers.GetValues(name));

    private static async Task<byte[]> UnzipAsync(byte[] bytes)
    {
        using var plain = new MemoryStream();
        await using (var zipped = new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress))
            await zipped.CopyToAsync(plain, Ct);
        return plain.ToArray();
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, Action<HttpRequestMessage>? change = null)
    {
        using var request = new HttpRequestMessage(method, path);
        change?.Invoke(request);
        return await Client.SendAsync(request, Ct);
    }

    /// <summary>A log with a full tile, a partial one, an upper level and data apart from its leaf; nothing is appended afterwards.</summary>
    public sealed class Fixture(TestDatabases databases) : AppFixture(databases), IAsyncLifetime
    {
        private Guid _id;
        private string _data = "";

        public string Path(string template) => template
            .Replace("{id}", _id.ToString("D"), StringComparison.Ordinal)
            .Replace("{data}", _data, StringComparison.Ordinal)
            .Replace("{width}", $"{App.Get<ShardLogs>().Latest(ShardMap.DefaultShard)!.Checkpoint.Size - 256}", StringComparison.Ordinal);

        async ValueTask IAsyncLifetime.InitializeAsync()
        {
            await InitializeAsync();
            for (var i = 0; i < 300; i++)
                await LogBench.AppendAsync(App, $"served{i}", new string((char)('a' + (i % 26)), 200));
            (_id, _) = await LogBench.AppendAsync(App, "served", new string('x', 70_000));
            await LogBench.PublishedAsync(App, _id);
            _data = LogPublisher.DetachedPath((await App.Get<ShardLogs>().Find(ShardMap.DefaultShard)!.Leaves.FindAsync(_id, CancellationToken.None))!.Detached!);
        }
    }
}
