using System.Net;
using System.Net.Http.Json;
using System.Text;
using Lumora.Api.Tasks;
using Lumora.Chain.Cryptography;
using Lumora.Domain.Kernel;
using Lumora.Domain.Tasks;
using SimpleBase;

namespace Lumora.Integration.Tests.Tasks;

public sealed class NodeProtocolSpecs(WorkFixture fixture) : IClassFixture<WorkFixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_delivered_result_is_countersigned_accepted_and_recorded_and_ends_its_collection()
    {
        var node = await fixture.NodeAsync();
        var collection = await fixture.CollectionAsync(pages: 1);
        var lease = await node.LeaseAsync();
        var (ciphertext, result) = await node.WorkAsync(lease);
        using var first = await node.UploadAsync(lease.LeaseId, ciphertext[..100]);
        using var second = await node.UploadAsync(lease.LeaseId, ciphertext[100..], offset: 100);
        Assert.Equal($"{ciphertext.Length}", second.Headers.GetValues(NodeProtocol.UploadOffsetHeader).Single());
        using var completed = await node.CompleteAsync(result);

        var receipt = (await completed.Content.ReadFromJsonAsync<ReceiptCountersigned>(WireJson.Messages, Ct))!;
        Assert.Equal(result.Receipt, receipt.Receipt);
        Assert.True(new Curve25519().Ed25519Verify(
            Base58.Bitcoin.Decode(receipt.GatewayId), receipt.SigningBytes(), Convert.FromBase64String(receipt.Sig!)));

        await fixture.TaskInAsync(lease.TaskId, TaskPhase.Accepted);
        Assert.Equal(5_000L, await fixture.ScalarAsync<long>(
            "select bytes from bandwidth_contribution where lease_id = $1 and owner = $2", lease.LeaseId, node.Owner));
        await fixture.CollectionInAsync(collection.CollectionId, CollectionPhase.Completed);

        var results = fixture.App.Get<IAcceptedResults>();
        var accepted = Assert.Single(await results.ListAsync(collection.CollectionId, Ct));
        var records = new List<string>();
        await foreach (var line in results.ReadRecordsAsync(accepted, Ct))
            records.Add(Encoding.UTF8.GetString(line.Span));
        Assert.Contains("Title of https://", Assert.Single(records), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_delivery_twice_gets_the_same_answer_and_counts_once()
    {
        var node = await fixture.NodeAsync();
        await fixture.CollectionAsync(pages: 1);
        var lease = await node.LeaseAsync();
        var (ciphertext, result) = await node.WorkAsync(lease);
        using var uploaded = await node.UploadAsync(lease.LeaseId, ciphertext);
        using var first = await node.CompleteAsync(result);
        using var again = await node.CompleteAsync(result);
        Assert.Equal(await first.Content.ReadAsStringAsync(Ct), await again.Content.ReadAsStringAsync(Ct));

        await fixture.TaskInAsync(lease.TaskId, TaskPhase.Accepted);
        using var afterwards = await node.CompleteAsync(result);
        Assert.Equal(HttpStatusCode.OK, afterwards.StatusCode);
        Assert.Equal(1L, await fixture.ScalarAsync<long>(
            "select count(*) from bandwidth_contribution where task_id = $1", lease.TaskId));
    }

    [Fact]
    public async Task A_wrong_content_root_is_refused_with_its_reason_and_the_task_goes_to_another_attempt()
    {
        var node = await fixture.NodeAsync();
        await fixture.CollectionAsync(pages: 1);
        var lease = await node.LeaseAsync();
        var (ciphertext, result) = await node.WorkAsync(lease);
        var wrong = new string('0', 64);
        result = node.Sign(result with { ContentRoot = wrong, Receipt = result.Receipt with { ContentRoot = wrong } });
        using var uploaded = await node.UploadAsync(lease.LeaseId, ciphertext);
        using var completed = await node.CompleteAsync(result);
        Assert.Equal(HttpStatusCode.OK, completed.StatusCode);

        await fixture.TaskInAsync(lease.TaskId, TaskPhase.Queued);
        var refused = Assert.Single((await node.SelfAsync()).LastRefused);
        Assert.Equal((lease.LeaseId, "content_root_mismatch"), (refused.LeaseId, refused.Code));

        fixture.Clock.Advance(TimeSpan.FromMinutes(1));
        var second = await node.LeaseAsync();
        Assert.Equal((lease.TaskId, 2), (second.TaskId, second.Attempt));
        await node.DeliverAsync(second);
        await fixture.TaskInAsync(lease.TaskId, TaskPhase.Accepted);
    }

    [Fact]
    public async Task A_record_that_breaks_the_schema_is_refused_with_its_reason()
    {
        var node = await fixture.NodeAsync();
        await fixture.CollectionAsync(pages: 1, attemptsMax: 1);
        var lease = await node.LeaseAsync();
        var (ciphertext, result) = await node.WorkAsync(lease, field: "unknown");
        using var uploaded = await node.UploadAsync(lease.LeaseId, ciphertext);
        using var completed = await node.CompleteAsync(result);
        Assert.Equal(HttpStatusCode.OK, completed.StatusCode);

        var task = await fixture.TaskInAsync(lease.TaskId, TaskPhase.Abandoned);
        Assert.Equal("schema_mismatch", Assert.Single(task.Failures));
        await fixture.CollectionInAsync(task.CollectionId, CollectionPhase.Completed);
    }

    [Fact]
    public async Task A_lost_lease_comes_back_and_its_late_result_is_refused()
    {
        var (lost, other) = (await fixture.NodeAsync(), await fixture.NodeAsync());
        await fixture.CollectionAsync(pages: 1);
        var lease = await lost.LeaseAsync();
        var (_, result) = await lost.WorkAsync(lease);
        fixture.Clock.Advance(lease.Deadline - fixture.Clock.Now() + TimeSpan.FromMinutes(1));
        await fixture.TaskInAsync(lease.TaskId, TaskPhase.Queued);
        fixture.Clock.Advance(TimeSpan.FromMinutes(1));

        var second = await other.LeaseAsync();
        Assert.Equal(lease.TaskId, second.TaskId);
        using var late = await lost.CompleteAsync(result);
        Assert.Equal("unknown_lease", await TestNode.CodeOf(late));
        await other.DeliverAsync(second);
        await fixture.TaskInAsync(lease.TaskId, TaskPhase.Accepted);
    }

    [Fact]
    public async Task Another_nodes_lease_is_an_unknown_one()
    {
        var (owner, thief) = (await fixture.NodeAsync(), await fixture.NodeAsync());
        await fixture.CollectionAsync(pages: 1);
        var lease = await owner.LeaseAsync();
        var (ciphertext, result) = await thief.WorkAsync(lease);
        using var uploaded = await thief.UploadAsync(lease.LeaseId, ciphertext);
        using var completed = await thief.CompleteAsync(result);
        Assert.Equal("unknown_lease", await TestNode.CodeOf(uploaded));
        Assert.Equal("unknown_lease", await TestNode.CodeOf(completed));
        await owner.DeliverAsync(lease);
    }

    [Fact]
    public async Task A_receipt_that_the_node_did_not_sign_is_refused_and_changes_nothing()
    {
        var (node, other) = (await fixture.NodeAsync(), await fixture.NodeAsync());
        await fixture.CollectionAsync(pages: 1);
        var lease = await node.LeaseAsync();
        var (ciphertext, result) = await node.WorkAsync(lease);
        using var uploaded = await node.UploadAsync(lease.LeaseId, ciphertext);
        using var completed = await node.CompleteAsync(other.Sign(result));
        Assert.Equal("receipt_signature_wrong", await TestNode.CodeOf(completed));
        Assert.Equal(TaskPhase.Leased, (await fixture.TaskAsync(lease.TaskId))!.Phase);
        using var repeated = await node.CompleteAsync(result);
        Assert.Equal(HttpStatusCode.OK, repeated.StatusCode);
    }

    [Fact]
    public async Task Too_large_a_chunk_and_a_wrong_offset_are_refused()
    {
        var node = await fixture.NodeAsync();
        await fixture.CollectionAsync(pages: 1);
        var lease = await node.LeaseAsync();
        using var large = await node.UploadAsync(lease.LeaseId, new byte[NodeProtocol.ChunkBytesMax + 1]);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
        using var gap = await node.UploadAsync(lease.LeaseId, new byte[10], offset: 5);
        Assert.Equal("wrong_offset", await TestNode.CodeOf(gap));
        Assert.Equal("0", gap.Headers.GetValues(NodeProtocol.UploadOffsetHeader).Single());
        await node.DeliverAsync(lease);
    }

    [Fact]
    public async Task A_result_with_text_that_the_database_cannot_keep_or_an_empty_page_is_refused_with_a_code()
    {
        var node = await fixture.NodeAsync();
        await fixture.CollectionAsync(pages: 1);
        var lease = await node.LeaseAsync();
        var (_, result) = await node.WorkAsync(lease);
        using var zero = await node.CompleteAsync(result with { Pages = [result.Pages[0] with { FinalUrl = "https://a.example/\0" }] });
        Assert.Equal("malformed", await TestNode.CodeOf(zero));
        using var empty = await node.CompleteAsync(result with { Pages = [null!] });
        Assert.Equal("bad_shape", await TestNode.CodeOf(empty));
        await node.DeliverAsync(lease);
    }

    [Fact]
    public async Task An_unregistered_node_and_an_unsigned_request_are_turned_away()
    {
        using var stranger = new TestNode(fixture.App.Address, fixture.Clock);
        using var unknown = await stranger.AskAsync(waitSeconds: 0);
        Assert.Equal("unknown_node", await TestNode.CodeOf(unknown));
        using var plain = new HttpClient { BaseAddress = fixture.App.Address };
        using var unsigned = await plain.GetAsync(NodeProtocol.SelfPath, Ct);
        Assert.Equal(HttpStatusCode.Unauthorized, unsigned.StatusCode);
    }
}
