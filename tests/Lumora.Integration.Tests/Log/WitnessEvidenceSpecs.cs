using System.Globalization;
using System.Net;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Witnesses;
using Lumora.Chain.Witnessing;
using Lumora.Cli.Verify;
using Lumora.Domain.Merkle;
using Lumora.Integration.Tests.Cli;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.Hosting;

namespace Lumora.Integration.Tests.Log;

/// <summary><c>lumora witness</c> with a key of ML-DSA-44, and what it keeps when a log's own key signs two histories.</summary>
public sealed class WitnessEvidenceSpecs(TestDatabases databases) : IAsyncLifetime
{
    private readonly string _home = Path.Combine(Path.GetTempPath(), $"lumora-evidence-{Guid.NewGuid():N}");
    private readonly HttpClient _http = new();
    private RunningWitness _witness = null!;
    private LogSigner _signer = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Evidence => Path.Combine(_witness.State, "evidence", Witness.HashOf(_signer.Origin));

    public async ValueTask InitializeAsync()
    {
        _witness = new RunningWitness(_home, shards: null, "--key-type", "ml-dsa-44");
        await _witness.StartAsync();
        _signer = LogKeys.Open(new LumoraHome(_home), new LogOptions { Origin = "witnessed.example" }, "main");
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        _signer.Dispose();
        await _witness.DisposeAsync();
        Directory.Delete(_home, recursive: true);
    }

    [Fact]
    public async Task A_host_publishes_with_the_quorum_of_an_ML_DSA_witness()
    {
        await using var app = new LumoraApp(await databases.CreateAsync(), _home, _witness.Settings);
        await app.StartAsync();
        var (id, _) = await LogBench.AppendAsync(app, "witnessed");
        await LogBench.PublishedAsync(app, id);
        using var client = app.CreateClient();
        var policy = WitnessPolicy.Parse(await File.ReadAllBytesAsync(_witness.PolicyFile, Ct));
        Assert.Equal(SignatureKind.MlDsa44, Assert.Single(policy.Witnesses).Key.Kind);
        var proof = TlogProof.Parse(await client.GetByteArrayAsync($"/log/main/proof/{id}", Ct));
        Assert.True(PolicyVerifier.Verify(proof.Checkpoint.Span, policy).IsQuorumMet);
        // What is anchored stays small: the log's own note.
        Assert.Single(SignedNote.Parse(app.Get<ShardLogs>().Latest("main")!.Note).Signatures);
        Assert.True(File.Exists(Path.Combine(_witness.State, "witness.ml-dsa-44.key")));
        Assert.False(File.Exists(Path.Combine(_witness.State, "witness.key")));
    }

    [Fact]
    public async Task Two_histories_are_kept_as_evidence_that_convinces_others()
    {
        Assert.Equal(HttpStatusCode.OK, await PostAsync(0, 10, "honest"));
        Assert.Equal("ok\n", await GetAsync("healthz"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, await PostAsync(10, 10, "another history"));
        // The same again adds nothing, and a rollback that shows it as well neither.
        Assert.Equal(HttpStatusCode.UnprocessableEntity, await PostAsync(10, 10, "another history"));
        Assert.Equal(HttpStatusCode.Conflict, await PostAsync(0, 10, "another history"));
        var file = Assert.Single(Directory.GetFiles(Evidence));
        Assert.Contains($"FORK {_signer.Origin}: Two trees of 10 leaves", _witness.Errors, StringComparison.Ordinal);
        Assert.Contains(file, _witness.Errors, StringComparison.Ordinal);
        Assert.Equal($"fork\n{_signer.Origin} {file}\n", await GetAsync("healthz"));
        var metrics = await GetAsync("metrics");
        Assert.Contains($"witness_conflicts_total{{log=\"{_signer.Origin}\",kind=\"fork\"}} 3\n", metrics, StringComparison.Ordinal);
        Assert.Contains($"witness_evidence_files{{log=\"{_signer.Origin}\",kind=\"fork\"}} 1\n", metrics, StringComparison.Ordinal);

        (await VerifyAsync(file)).Must(0, "proven offline", "conflict_shown", "two trees of 10 entries");
        (await VerifyAsync(file)).Must(0, "Shown.");
        // It stays across a restart.
        await _witness.StopAsync();
        await _witness.StartAsync();
        Assert.StartsWith("fork\n", await GetAsync("healthz"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_repeated_requests_can_make_it_keep_is_bounded()
    {
        Assert.Equal(HttpStatusCode.OK, await PostAsync(0, 10, "honest"));
        for (var i = 0; i < 20; i++)
        {
            await PostAsync(10, 10, string.Create(CultureInfo.InvariantCulture, $"history {i}"));
            await PostAsync(10, 20 + i, "without a proof");
        }

        Assert.Equal(16, Directory.GetFiles(Evidence, "fork-*.json").Length);
        Assert.Equal(16, Directory.GetFiles(Evidence, "not-extended-*.json").Length);
        Assert.Contains("not kept, for 16 files are there", _witness.Errors, StringComparison.Ordinal);
        var said = await VerifyAsync(Directory.GetFiles(Evidence, "not-extended-*.json")[0]);
        said.Must(1, "WRONG", "an honest checkpoint with a wrong proof looks the same");
        said.Must(1, "proven offline", "second_signed");
    }

    private Task<Said> VerifyAsync(string file) =>
        LoggedHost.RunAsync(VerifyCommand.Create(), "--evidence", file, "--key", _signer.Key.ToString());

    private Task<string> GetAsync(string path) => _http.GetStringAsync($"{_witness.Url}/{path}", Ct);

    private async Task<HttpStatusCode> PostAsync(long old, long size, string history)
    {
        var text = new Checkpoint(_signer.Origin, size, MerkleHash.OfLeaf(System.Text.Encoding.UTF8.GetBytes(history))).ToText();
        var request = new AddCheckpointRequest(old, [], _signer.Sign(text).ToBytes());
        using var answer = await _http.PostAsync($"{_witness.Url}/add-checkpoint", new ByteArrayContent(request.ToBytes()), Ct);
        return answer.StatusCode;
    }
}
