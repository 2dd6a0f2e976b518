using System.Text;
using System.Text.Json;
using CsCheck;
using Lumora.Domain.Deposits;
using Lumora.Domain.Governance;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Domain.Purchases;

namespace Lumora.Domain.Tests.Ledger;

public sealed class LedgerWireTests
{
    private static readonly Type[] Commands =
        [.. typeof(LedgerCommand).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(LedgerCommand)))];

    private static readonly Type[] Outcomes = [.. typeof(LedgerOutcome).GetNestedTypes()];

    private static readonly Type[] StreamTypes = [typeof(LedgerJournal), typeof(Purchase), typeof(DepositState), typeof(Approval)];

    [Fact]
    public void Every_kind_of_request_arrives_as_it_was_sent() => Gen.Int.Sample(seed =>
    {
        var any = new AnyRecord(seed);
        var requests = Enumerable.Range(0, 1 + any.Next(3)).Select(_ => RequestOf(any)).ToList();
        var line = LedgerWire.Encode(requests);
        Assert.DoesNotContain((byte)'\n', line);
        AnyRecord.AssertSame(requests, LedgerWire.DecodeRequests(line));
    }, iter: 1_000);

    [Fact]
    public void Every_kind_of_outcome_arrives_as_it_was_sent() => Gen.Int.Sample(seed =>
    {
        var any = new AnyRecord(seed);
        var outcomes = Enumerable.Range(0, 1 + any.Next(3)).Select(_ => (LedgerOutcome)any.Of(any.OneOf(Outcomes))).ToList();
        AnyRecord.AssertSame(outcomes, LedgerWire.DecodeOutcomes(LedgerWire.Encode(outcomes)));
    });

    [Fact]
    public void An_outcome_that_is_missing_among_others_is_an_error() =>
        Assert.Throws<JsonException>(() => LedgerWire.DecodeOutcomes("[null]"u8));

    [Fact]
    public void An_unknown_outcome_stays_unknown() => Assert.Null(LedgerWire.DecodeOutcomes(LedgerWire.Encode(outcomes: null)));

    [Fact]
    public void A_command_carries_its_name_in_snake_case() => Assert.Contains(
        "\"command\":{\"$type\":\"open_account\",\"code\":\"network/fees\"",
        Encoding.UTF8.GetString(LedgerWire.Encode([Request()])), StringComparison.Ordinal);

    [Theory]
    [InlineData("[{", "[null,{")]
    [InlineData("\"key\":\"k\"", "\"key\":\"k\",\"newer\":1")]
    [InlineData("\"asset\":\"LMR\"", "\"asset\":\"LMR\",\"newer\":1")]
    [InlineData("\"code\":\"network/fees\",", "")]
    [InlineData("open_account", "of_a_newer_host")]
    [InlineData("\"$type\":\"open_account\",", "")]
    [InlineData("\"companion\":null", "\"companion\":{\"streamId\":\"x\",\"streamType\":\"purchase\",\"expectedVersion\":null,\"events\":[null]}")]
    public void A_member_or_command_that_the_reader_does_not_know_or_misses_is_an_error(string known, string changed)
    {
        var line = Encoding.UTF8.GetString(LedgerWire.Encode([Request()]));
        Assert.Contains(known, line, StringComparison.Ordinal);
        var other = Encoding.UTF8.GetBytes(line.Replace(known, changed, StringComparison.Ordinal));
        Assert.Throws<JsonException>(() => LedgerWire.DecodeRequests(other));
    }

    [Fact]
    public void A_companion_of_a_foreign_type_is_not_sent()
    {
        var companion = new CompanionEvents("x/1", typeof(object), null, [new AccountFrozen("x", "escrow/x", "LMR", "test")]);
        Assert.Throws<ArgumentException>(() => LedgerWire.Encode([Request() with { Companion = companion }]));
        Assert.Throws<ArgumentException>(() => LedgerWire.Encode(
            [Request() with { Companion = companion with { StreamType = typeof(Purchase), Events = ["text"] } }]));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("")]
    public void No_requests_at_all_are_an_error(string line) =>
        Assert.Throws<JsonException>(() => LedgerWire.DecodeRequests(Encoding.UTF8.GetBytes(line)));

    private static LedgerRequest RequestOf(AnyRecord any) => new(
        new Actor(any.Text(), (Roles)any.Next(64)), any.Text(), (LedgerCommand)any.Of(any.OneOf(Commands)),
        any.Next(2) == 0 ? null : new CompanionEvents(
            any.Text(), any.OneOf(StreamTypes), (long?)any.Of(typeof(long?)),
            [.. Enumerable.Range(0, any.Next(4)).Select(_ => any.Of(any.OneOf(EventCatalog.All).Type))]));

    private static LedgerRequest Request() => new(Actor.System("test"), "k", new OpenAccount("network/fees"));
}
