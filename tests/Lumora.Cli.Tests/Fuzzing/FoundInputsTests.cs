using System.Text;
using System.Text.Json;
using Lumora.Chain.Notes;
using Lumora.Chain.Tiles;
using Lumora.Cli.Audit;
using Lumora.Cli.Logs;
using Lumora.Cli.Monitor;
using Lumora.Cli.Reports;
using Lumora.Cli.Trust;
using Lumora.Domain.Ledger;

namespace Lumora.Cli.Tests.Fuzzing;

/// <summary>What fuzzers have found, kept.</summary>
public sealed class FoundInputsTests
{
    private const long AllocatedMax = 100_000;

    private static readonly DateTimeOffset Now = new(2026, 1, 31, 23, 59, 59, TimeSpan.Zero);

    [Theory]
    [InlineData(new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 0x07 })]
    [InlineData(new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 0x0F })]
    [InlineData(new byte[] { 0x03, 0x00, 0x00 })]
    public void A_list_that_says_it_is_longer_than_the_file_costs_nothing(byte[] list)
    {
        // What the first refusal of all makes is not there a second time.
        Refuse();
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        Refuse();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, AllocatedMax);

        void Refuse()
        {
            using var input = new BinaryReader(new MemoryStream(list));
            Assert.Throws<InvalidDataException>(() => input.ReadList(input.ReadInt64));
        }
    }

    [Fact]
    public void A_state_in_which_two_epochs_are_being_closed_is_damaged()
    {
        using var stream = new MemoryStream();
        using var output = new BinaryWriter(stream);
        foreach (var number in (long[])[0, 0, 0, Now.UtcTicks])
            output.Write(number);
        // Nodes, refusals, contributions and bookings: none.
        output.Write(new byte[4]);
        output.WriteList(["{}", "{}"], output.Write);
        stream.Position = 0;
        using var input = new BinaryReader(stream);
        Assert.Throws<InvalidDataException>(() => new RewardCheck(EpochLength.Default).Load(input));
    }

    [Fact]
    public void A_state_in_which_a_posting_has_two_assets_is_damaged()
    {
        var state = new LedgerState(2, 2, Now, keepMovements: true);
        state.Load(new LedgerAccount(1, new AccountKey("a", "LMR"), 0, 0, null, AccountStatus.Open, 1));
        state.Load(new LedgerAccount(2, new AccountKey("b", "LMR"), 0, 0, null, AccountStatus.Open, 2));
        state.Load(new LedgerMovement(2, [new Posting("a", "b", new Domain.Kernel.Amount(1))], null, [0]));
        using var stream = new MemoryStream();
        using var output = new BinaryWriter(stream);
        JournalState.Save(output, state);
        // The second account's asset, as its text stands behind its code.
        var at = stream.ToArray().AsSpan().LastIndexOf("LMR"u8);
        stream.GetBuffer()[at] = (byte)'X';
        stream.Position = 0;
        using var input = new BinaryReader(stream);
        Assert.Throws<InvalidDataException>(() => JournalState.Load(input));
    }

    /// <summary>It was taken, and the audit broke off when it wrote its state.</summary>
    [Theory]
    [InlineData("account_opened", """{"asset":"LMR","id":"x"}""")]
    [InlineData("account_opened", """{"code":"network/x","id":"x"}""")]
    [InlineData("transaction_posted", """{"id":"x","kind":"k","postings":[],"reference":{"id":"y"}}""")]
    [InlineData("transaction_posted", """{"id":"x","kind":"k","opened":[{"asset":"LMR"}],"postings":[]}""")]
    public void An_event_of_the_ledger_without_a_name_is_a_finding(string type, string data)
    {
        var leaf = new Domain.Log.Leaf("main", "ledger/main", 1, Guid.Empty, type, Now, "system:test", null);
        var fold = new AuditFold(AuditedNetwork.SubjectOf(new NoLog()));
        Assert.Contains(fold.Take(new LoggedEvent(0, leaf, Encoding.UTF8.GetBytes(data))), finding => finding.Claim == LedgerCheck.Claim);
    }

    [Theory]
    [InlineData("""{"format":"lumora-trust/1","issuedAt":"2026-01-31T23:59:59.000000Z","shards":[null],"witnesses":[]}""")]
    [InlineData("""{"format":"lumora-trust/1","issuedAt":"2026-01-31T23:59:59.000000Z","shards":[{"keys":[null],"name":"main"}],"witnesses":[]}""")]
    [InlineData("""{"format":"lumora-trust/1","issuedAt":"2026-01-31T23:59:59.000000Z","shards":[{"keys":[],"name":"main"}],"witnesses":[null]}""")]
    public void A_trust_file_with_null_in_a_list_is_none(string body)
    {
        using var signer = new NoteSigner("lumora.example/trust", SignatureKind.Ed25519, new byte[32]);
        var note = new SignedNote($"{body}\n", [signer.Sign($"{body}\n")]).ToBytes();
        Assert.Contains("null", Assert.Throws<FormatException>(() => TrustFile.Parse(note)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"levels\":[[", "\"levels\":[null,[")]
    [InlineData("\"waiting\":[", "\"waiting\":[null,")]
    public async Task A_monitor_state_with_null_in_a_list_is_damaged(string good, string bad)
    {
        using var network = new AuditedNetwork();
        var (note, edge) = await network.GrowAsync(3);
        var state = new MonitorState(
            MonitorState.FormatName, AuditedNetwork.Shard, network.Key.Key.ToString(), Encoding.UTF8.GetString(note), "here", Now, [], [], 2,
            [new WaitingEntry(2, Now)]).With(edge);
        var text = Encoding.UTF8.GetString(state.ToBytes());
        Assert.Contains(good, text, StringComparison.Ordinal);
        var fault = Assert.Throws<UnableException>(() => MonitorState.Parse(
            Encoding.UTF8.GetBytes(text.Replace(good, bad, StringComparison.Ordinal)), "monitor.json", AuditedNetwork.Shard, network.Key));
        Assert.Contains("monitor.json is damaged", fault.Message, StringComparison.Ordinal);
    }

    /// <summary>The hash in the leaf is that of canonical JSON (docs/leaf.md): half a surrogate pair in it broke the audit off.</summary>
    [Theory]
    [InlineData("""{"buyerId":"\ud800"}""")]
    [InlineData("""{"buyerId": "x"}""")]
    [InlineData("[")]
    public async Task Long_data_in_another_spelling_is_a_finding(string data)
    {
        var bytes = Encoding.UTF8.GetBytes(data);
        using var source = new OddServer { File = bytes };
        var (read, fault) = await DetachedReading.ReadAsync(
            source, new Domain.Log.DetachedData(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes)), bytes.Length), TestContext.Current.CancellationToken);
        Assert.Null(read);
        Assert.Contains("is not canonical JSON", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"x\"", "", 2)]
    [InlineData("\"x\"", """{"number":"1"}""", 3)]
    [InlineData("null", """{"number":"1"}""", 2)]
    public async Task A_server_whose_list_never_ends_is_at_fault(string cursor, string row, int asked)
    {
        using var source = new OddServer { Page = $$"""{"pageInfo":{"hasNextPage":true,"endCursor":{{cursor}} },"nodes":[{{row}}]}""" };
        var check = new AggregateCheck(source, "main", new AuditFold(AuditedNetwork.SubjectOf(source)), signedIn: false);
        await Assert.ThrowsAsync<UnableException>(() => check.RunAsync(TestContext.Current.CancellationToken));
        Assert.Equal(asked, source.Asked);
    }

    /// <summary>Gives the same page of every list, and has one file.</summary>
    private sealed class OddServer : ILogSource
    {
        public string Name => "a server";

        public bool IsCopy => false;

        public int Asked { get; private set; }

        public string Page { get; init; } = "{}";

        public byte[]? File { get; init; }

        public Task<JsonElement?> AskAsync(string query, object variables, CancellationToken cancellationToken)
        {
            Asked++;
            return Task.FromResult<JsonElement?>(JsonElement.Parse($$"""{"epochs":{{Page}},"datasets":{{Page}}}"""));
        }

        public Task<byte[]?> ReadAsync(string path, CancellationToken cancellationToken) => Task.FromResult(File);

        public ValueTask<byte[]?> ReadAsync(TileId tile, CancellationToken cancellationToken) => ValueTask.FromResult<byte[]?>(null);

        public Task<Stream?> ExportAsync(long from, CancellationToken cancellationToken) => Task.FromResult<Stream?>(null);

        public void Dispose()
        {
        }
    }
}
