using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;

namespace Lumora.Domain.Tests.Ledger;

public sealed class LedgerShapeTests
{
    private static readonly Actor Network = Actor.System("test");
    private static readonly Actor Alice = new("participant_a", Roles.Consumer);
    private static readonly Posting Sound = new("network/emission", "participant/a/available", new Amount(1));

    public static TheoryData<string, string, LedgerRequest> Faults => new()
    {
        { LedgerCodes.InvalidKey, "key", Request(key: "") },
        { LedgerCodes.InvalidKey, "key", Request(key: "two words") },
        { LedgerCodes.InvalidKey, "key", Request(key: new string('k', 129)) },
        { LedgerCodes.InvalidRequest, "kind", Request(kind: "Not Snake") },
        { LedgerCodes.InvalidRequest, "postings", Request(postings: []) },
        { LedgerCodes.TooManyPostings, "postings", Request(postings: [.. Enumerable.Repeat(Sound, 65)]) },
        { LedgerCodes.SameAccount, "postings[0].to", Request(postings: [Sound with { To = Sound.From }]) },
        { LedgerCodes.InvalidAmount, "postings[0].amount", Request(postings: [Sound with { Amount = Amount.Zero }]) },
        { LedgerCodes.InvalidAccount, "postings[0].from", Request(postings: [Sound with { From = "network/other" }]) },
        { LedgerCodes.InvalidAccount, "postings[1].to", Request(postings: [Sound, Sound with { To = "participant//available" }]) },
        { LedgerCodes.InvalidRequest, "postings[0].asset", Request(postings: [Sound with { Asset = "lmr" }]) },
        { LedgerCodes.InvalidRequest, "metadata", Request(metadata: new string('m', 1_024)) },
        { LedgerCodes.InvalidRequest, "metadata", Request(metadata: "a\0b") },
        { LedgerCodes.InvalidRequest, "metadata", Request(metadata: "half \ud800") },
        { LedgerCodes.Forbidden, "postings[0].to", Request(Alice, postings: [Sound with { To = "suspense/participant/a/available" }]) },
        { LedgerCodes.Forbidden, "code", new LedgerRequest(Alice, "k", new OpenAccount("participant/a/available")) },
        { LedgerCodes.InvalidAccount, "code", new LedgerRequest(Network, "k", new OpenAccount("escrow/1")) },
        { LedgerCodes.InvalidRequest, "reason", new LedgerRequest(Network, "k", new FreezeAccount("escrow/1", "LMR", "")) },
        { LedgerCodes.Forbidden, "code", new LedgerRequest(Network, "k", new FreezeAccount("suspense/escrow/1", "LMR", "x")) },
        { LedgerCodes.Forbidden, "code", new LedgerRequest(Network, "k", new CloseAccount("suspense/escrow/1", "LMR", "x")) },
        { LedgerCodes.Forbidden, "code", new LedgerRequest(Network, "k", new ChangeFloor("suspense/escrow/1", "LMR", 1, "x")) },
        { LedgerCodes.InvalidRequest, "companion", Request() with { Companion = new CompanionEvents("ledger/main", typeof(object), null, ["x"]) } },
    };

    [Theory]
    [MemberData(nameof(Faults), DisableDiscoveryEnumeration = true)]
    public void A_malformed_request_is_refused_with_its_code_and_field(string code, string field, LedgerRequest request)
    {
        var fault = LedgerShape.Check(request);
        Assert.Equal((code, field), (fault?.Code, fault?.Field));
    }

    [Fact]
    public void A_request_at_every_limit_is_well_formed() =>
        Assert.Null(LedgerShape.Check(Request(
            key: new string('k', 128), kind: new string('x', 64), postings: [.. Enumerable.Repeat(Sound, 64)],
            metadata: new string('m', 1_023))));

    [Fact]
    public void A_person_may_not_freeze_close_or_move_floors()
    {
        foreach (var command in (LedgerCommand[])[
            new FreezeAccount("escrow/1", "LMR", "x"), new UnfreezeAccount("escrow/1", "LMR", "x"),
            new CloseAccount("escrow/1", "LMR", "x"), new ChangeFloor("escrow/1", "LMR", null, "x")])
            Assert.Equal(LedgerCodes.Forbidden, LedgerShape.Check(new LedgerRequest(Alice, "k", command))?.Code);
    }

    [Theory]
    [InlineData("suspense/suspense/escrow/1")]
    [InlineData("suspense")]
    [InlineData("/escrow/1")]
    [InlineData("escrow/1/")]
    [InlineData("escrow/1/2")]
    [InlineData("escrow/a b")]
    [InlineData("")]
    public void The_chart_knows_no_other_codes(string code) => Assert.Null(ChartOfAccounts.RuleOf(code));

    [Fact]
    public void Only_emission_chains_and_clearing_start_unbounded()
    {
        Assert.Null(ChartOfAccounts.RuleOf(ChartOfAccounts.Emission)!.Floor);
        Assert.Null(ChartOfAccounts.RuleOf(ChartOfAccounts.Solana)!.Floor);
        Assert.Null(ChartOfAccounts.RuleOf(ChartOfAccounts.Clearing("region-1"))!.Floor);
        foreach (var code in (string[])[
            ChartOfAccounts.Rewards, ChartOfAccounts.Fees, ChartOfAccounts.Burned, ChartOfAccounts.Treasury,
            ChartOfAccounts.Unallocated, ChartOfAccounts.Available("a"), ChartOfAccounts.Escrow("p"),
            ChartOfAccounts.Suspense(ChartOfAccounts.Available("a"))])
            Assert.Equal(0, ChartOfAccounts.RuleOf(code)!.Floor);
    }

    private static LedgerRequest Request(
        Actor? actor = null, string key = "k", string kind = "test", IReadOnlyList<Posting>? postings = null,
        string? metadata = null) =>
        new(actor ?? Network, key, new PostTransaction(
            kind, postings ?? [Sound], null,
            metadata is null ? null : new Dictionary<string, string>(StringComparer.Ordinal) { ["m"] = metadata }));
}
