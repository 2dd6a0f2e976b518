using Lumora.Domain.Bandwidth;
using Lumora.Domain.Kernel;
using Lumora.Domain.Tasks;

namespace Lumora.Domain.Tests.Tasks;

public sealed class TaskDeciderTests
{
    private static readonly DateTimeOffset T0 = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Deadline = T0.AddMinutes(5);
    private static readonly TaskCreated Created = new("task_1", "collection_1", "a.org", ["http://a.org/1"], 2, T0);
    private static readonly TaskLeased Leased = new("task_1", "lease_1", "node1", 1, T0, Deadline);

    private static TaskOutput Output(string receipt = "aa") => new(
        "root", 3, 100, "cc", [Page("http://a.org/1", 5_000), Page("http://a.org/1", 5_000), Page("http://a.org/2", 10)],
        new Dictionary<string, int>(StringComparer.Ordinal), receipt,
        new WorkReceipt("lease_1", "node1", 1, 0, 0, "root", WorkStatus.Complete, 0, 0), "gateway", "sig");

    private static TaskPage Page(string url, long bytes) =>
        new(url, url, 200, bytes, "dd", 1, PageOutcome.Fetched);

    private static TaskState Given(params object[] events) =>
        events.Aggregate<object, TaskState?>(null, TaskState.Evolve)!;

    private static object[] Events(Decision decision) => [.. Assert.IsType<Decision.Accepted>(decision).Events];

    private static string Code(Decision decision) => Assert.IsType<Decision.Rejected>(decision).Reason.Code;

    [Fact]
    public void A_waiting_task_is_leased_once()
    {
        var first = Events(TaskDecider.Lease(Given(Created), "lease_1", "node1", T0, Deadline));
        Assert.Equal([Leased], first);
        Assert.Equal(
            "task_not_available", Code(TaskDecider.Lease(Given(Created, Leased), "lease_2", "node2", T0, Deadline)));
    }

    [Fact]
    public void A_delivery_in_time_completes_the_task_and_the_same_again_changes_nothing()
    {
        var completed = Events(TaskDecider.Complete(Given(Created, Leased), "lease_1", "node1", Output(), T0));
        var state = Given([Created, Leased, .. completed]);

        Assert.Equal(TaskPhase.Completed, state.Phase);
        Assert.Empty(Events(TaskDecider.Complete(state, "lease_1", "node1", Output(), T0)));
        Assert.Equal("lease_finished", Code(TaskDecider.Complete(state, "lease_1", "node1", Output("bb"), T0)));
    }

    [Fact]
    public void Only_the_node_that_holds_the_lease_may_deliver()
    {
        var state = Given(Created, Leased);
        Assert.Equal("unknown_lease", Code(TaskDecider.Complete(state, "lease_1", "node2", Output(), T0)));
        Assert.Equal("unknown_lease", Code(TaskDecider.Complete(state, "lease_2", "node1", Output(), T0)));
        Assert.Equal("unknown_lease", Code(TaskDecider.Complete(null, "lease_1", "node1", Output(), T0)));
    }

    [Fact]
    public void After_the_deadline_a_delivery_is_refused_even_when_no_sweeper_came()
    {
        var late = Deadline.AddTicks(10);
        Assert.Equal(
            "lease_expired", Code(TaskDecider.Complete(Given(Created, Leased), "lease_1", "node1", Output(), late)));
        Assert.Empty(Events(TaskDecider.Expire(Given(Created, Leased), "lease_1", Deadline)));
        var expired = Assert.IsType<LeaseExpired>(
            Assert.Single(Events(TaskDecider.Expire(Given(Created, Leased), "lease_1", late))));
        Assert.Equal(late + TaskDecider.Backoff(1), expired.AvailableAt);
    }

    [Fact]
    public void The_last_failed_attempt_abandons_the_task_with_every_reason()
    {
        var refused = new LeaseRefused("task_1", "lease_1", "node1", "too_late", "", T0, T0);
        var second = Leased with { LeaseId = "lease_2", Attempt = 2 };
        var completed = new TaskCompleted("task_1", "lease_2", "node1", Output(), T0);
        var events = Events(TaskDecider.Reject(
            Given(Created, Leased, refused, second, completed), "content_root_mismatch", "detail", T0));

        Assert.IsType<TaskRejected>(events[0]);
        Assert.Equal(
            ["refused: too_late", "content_root_mismatch"], Assert.IsType<TaskAbandoned>(events[1]).Reasons);
    }

    [Fact]
    public void Acceptance_records_each_page_once_and_capped()
    {
        var state = Given(Created, Leased, new TaskCompleted("task_1", "lease_1", "node1", Output(), T0));
        var events = Events(TaskDecider.Accept(state, "result_1", "contribution_1", "participant_1", 7, 1_024, T0));

        Assert.Equal("result_1", Assert.IsType<TaskAccepted>(events[0]).ResultId);
        var contribution = Assert.IsType<ContributionRecorded>(events[1]);
        Assert.Equal((2, 1_024 + 10, 7), (contribution.Pages, contribution.Bytes, contribution.Epoch));
        Assert.Empty(Events(TaskDecider.Accept(
            Given(Created, Leased), "result_1", "contribution_1", "participant_1", 7, 1_024, T0)));
    }

    [Fact]
    public void Backoff_doubles_and_stays_within_ten_minutes()
    {
        Assert.Equal(TimeSpan.FromSeconds(2), TaskDecider.Backoff(1));
        Assert.Equal(TimeSpan.FromSeconds(16), TaskDecider.Backoff(4));
        Assert.Equal(TimeSpan.FromMinutes(10), TaskDecider.Backoff(20));
    }

    [Fact]
    public void A_collection_ends_when_its_last_task_has_ended()
    {
        var state = new CollectionState(
            "collection_1", "participant_1", Plans.Valid, "age1", CollectionPhase.Running, Tasks: 3);
        Assert.Empty(Events(CollectionDecider.Complete(state, 2, 0, 10, T0)));
        Assert.Single(Events(CollectionDecider.Complete(state, 2, 1, 10, T0)));
    }
}
