using Lumora.Domain.Datasets;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Tests.Datasets;

public sealed class DatasetSpecs
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly string Id = TypeId.Format("dataset", Guid.CreateVersion7(Now));
    private static readonly string CollectionId = TypeId.Format("collection", Guid.CreateVersion7(Now));
    private static readonly Amount Price = Amount.FromLmr(25);

    private static readonly DatasetDraft Draft = new(
        CollectionId, "PostgreSQL manual", "Every page of the PostgreSQL manual.", "documentation", Price, "PostgreSQL");

    private static readonly DatasetBuildRequested Requested = new(
        Id, SemVer.First, CollectionId, "participant_a", Draft.Title, Draft.Description, Draft.Topic, Draft.Licence,
        Price, "aa", 3, Now);

    private static readonly DatasetVersionPublished Published = new(
        Id, SemVer.First, CollectionId, "participant_a", Draft.Title, Draft.Description, Draft.Topic, Draft.Licence,
        1_000, [], "bb", "cc", "dd", "aa", Now);

    private static readonly DatasetListed Listed = new(Id, Price, Now);

    [Fact]
    public void A_first_request_starts_version_one() =>
        Then(Decide(Request()), Requested);

    [Fact]
    public void A_collection_without_accepted_results_cannot_become_a_dataset() =>
        ThenRejected(Decide(Request() with { InputCount = 0 }), "no_results");

    [Fact]
    public void A_second_request_waits_for_the_first_build() =>
        ThenRejected(Decide(Request(), Requested), "build_pending");

    [Fact]
    public void A_failed_build_may_be_asked_for_again() =>
        Then(Decide(Request(), Requested, new DatasetBuildFailed(Id, SemVer.First, "no_records", "empty", Now)), Requested);

    [Fact]
    public void A_completed_build_is_published_and_listed() =>
        Then(Decide(new DatasetCommand.CompleteBuild(Published), Requested), Published, Listed);

    [Fact]
    public void A_build_that_completes_twice_publishes_once() =>
        Then(Decide(new DatasetCommand.CompleteBuild(Published), Requested, Published, Listed));

    [Fact]
    public void A_build_of_other_input_than_was_asked_for_is_a_fault() =>
        Assert.Throws<InvariantViolationException>(
            () => Decide(new DatasetCommand.CompleteBuild(Published with { InputRoot = "ff" }), Requested));

    [Fact]
    public void The_next_version_is_one_minor_further() =>
        Then(
            Decide(Request(), Requested, Published, Listed),
            Requested with { Version = new SemVer(1, 1, 0) });

    [Fact]
    public void A_version_must_be_newer_than_the_last() =>
        ThenRejected(
            Decide(Request(Draft with { Version = SemVer.First }), Requested, Published, Listed), "version_not_newer");

    [Fact]
    public void Only_its_publisher_adds_a_version() =>
        ThenRejected(
            Decide(Request() with { PublisherId = "participant_b" }, Requested, Published, Listed), "forbidden");

    [Fact]
    public void A_new_version_at_another_price_changes_the_price()
    {
        var dearer = Amount.FromLmr(40);
        var second = new SemVer(1, 1, 0);
        Then(
            Decide(
                new DatasetCommand.CompleteBuild(Published with { Version = second }),
                Requested, Published, Listed, Requested with { Version = second, Price = dearer }),
            Published with { Version = second }, new DatasetPriceChanged(Id, Price, dearer, Now));
    }

    [Fact]
    public void An_unlisted_dataset_can_be_listed_again()
    {
        Then(Decide(new DatasetCommand.Unlist(), Requested, Published, Listed), new DatasetUnlisted(Id, Now));
        Then(
            Decide(new DatasetCommand.SetPrice(Price), Requested, Published, Listed, new DatasetUnlisted(Id, Now)),
            Listed);
    }

    [Fact]
    public void A_dataset_without_a_version_cannot_be_listed() =>
        ThenRejected(Decide(new DatasetCommand.SetPrice(Price), Requested), "not_published");

    [Fact]
    public void The_same_price_again_changes_nothing() =>
        Then(Decide(new DatasetCommand.SetPrice(Price), Requested, Published, Listed));

    private static DatasetCommand.RequestBuild Request(DatasetDraft? draft = null) =>
        new(draft ?? Draft, Id, "participant_a", "aa", 3);

    private static Decision Decide(DatasetCommand command, params object[] given) =>
        DatasetDecider.Decide(command, given.Aggregate((Dataset?)null, Dataset.Evolve), Now);

    private static void Then(Decision decision, params object[] events) =>
        Assert.Equal(events, Assert.IsType<Decision.Accepted>(decision).Events);

    private static void ThenRejected(Decision decision, string code) =>
        Assert.Equal(code, Assert.IsType<Decision.Rejected>(decision).Reason.Code);
}
