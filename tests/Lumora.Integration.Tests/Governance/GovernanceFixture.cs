using System.Text.Json;
using Lumora.Domain.Governance;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Domain.Participants;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Integration.Tests.Ledger;
using Lumora.Projections.EventStore;

namespace Lumora.Integration.Tests.Governance;

/// <summary>A host with three stewards.</summary>
public sealed class GovernanceFixture(TestDatabases databases) : AppFixture(databases)
{
    private readonly TestWallet[] _wallets = [new(), new(), new()];

    protected override IReadOnlyDictionary<string, string> Settings => StewardSettings(_wallets);

    /// <summary>The stewards, signed in.</summary>
    internal async Task<(Person Anna, Person Bert, Person Carl)> StewardsAsync() => (
        await Person.SignInAsync(App, _wallets[0]), await Person.SignInAsync(App, _wallets[1]),
        await Person.SignInAsync(App, _wallets[2]));

    public static IReadOnlyDictionary<string, string> StewardSettings(IReadOnlyList<TestWallet> stewards)
    {
        var settings = stewards.Select((wallet, i) => (Key: $"Lumora:Stewards:{i}", wallet.Address))
            .ToDictionary(pair => pair.Key, pair => pair.Address, StringComparer.Ordinal);
        settings["Lumora:Identity:AttemptsPerMinute"] = "1000";
        return settings;
    }
}

/// <summary>What was answered to an act of power. <paramref name="Code"/> is "ok" where it is done.</summary>
internal sealed record PowerAnswer(
    string Code, string? Field, long? Version, bool Replayed, string? ApprovalId, string? State, JsonElement Payload)
{
    public static PowerAnswer Of(JsonElement payload)
    {
        var (outcome, error, approval) = (Part(payload, "outcome"), Part(payload, "error"), Part(payload, "approval"));
        Assert.True(outcome is null != error is null, payload.ToString());
        return new(
            error?.GetProperty("code").GetString() ?? LedgerAnswer.Ok,
            error?.GetProperty("field").GetString(),
            outcome?.GetProperty("journalVersion").GetString() is { } version
                ? long.Parse(version, System.Globalization.CultureInfo.InvariantCulture)
                : null,
            outcome?.GetProperty("replayed").GetBoolean() ?? false,
            approval?.GetProperty("id").GetString(), approval?.GetProperty("state").GetString(), payload);
    }

    private static JsonElement? Part(JsonElement payload, string name) =>
        payload.TryGetProperty(name, out var part) && part.ValueKind == JsonValueKind.Object ? part : null;
}

/// <summary>Acts of power as a client of the API asks for them.</summary>
internal static class PowerGraph
{
    public const string ApprovalFields =
        """
        { id state requester reason idempotencyKey requestedAt approvableUntil decidedBy decidedAt declineReason failureCode
          action { kind reason account asset floor transaction parts { posting amount } } }
        """;

    public const string Fields =
        $$"""{ outcome { transactionId journalVersion replayed } error { code field } retryAfterMs approval {{ApprovalFields}} }""";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<PowerAnswer> GovernAsync(
        this Person steward, string key, LedgerCommand command, bool dryRun = false)
    {
        var (field, input) = LedgerGraph.Mutation(new LedgerRequest(steward.Actor, key, command));
        input["dryRun"] = dryRun;
        return PowerAnswer.Of(await LedgerGraph.SendAsync(steward.Client, field, input, Fields, Ct));
    }

    public static async Task<PowerAnswer> ApproveAsync(this Person steward, string? approvalId) => PowerAnswer.Of(
        await LedgerGraph.SendAsync(steward.Client, "approve", new { approvalId }, Fields, Ct));

    public static async Task<(string Code, string? State)> DeclineAsync(
        this Person steward, string? approvalId, string reason = "No.")
    {
        var payload = await LedgerGraph.SendAsync(
            steward.Client, "declineApproval", new { approvalId, reason }, "{ approval { state } error { code field } }", Ct);
        return payload.GetProperty("error") is { ValueKind: JsonValueKind.Object } error
            ? (error.GetProperty("code").GetString()!, null)
            : (LedgerAnswer.Ok, payload.GetProperty("approval").GetProperty("state").GetString());
    }

    /// <summary>Takes the role of a steward away, as no command does yet.</summary>
    public static Task RecallAsync(this LumoraApp app, Person person) => app.RecordAsync(
        person, new RoleRevoked(person.Actor.Id, Roles.Steward, "Recalled.", TimeProvider.System.Now()));

    /// <summary>Makes an auditor.</summary>
    public static Task ElectAsync(this LumoraApp app, Person person) => app.RecordAsync(
        person, new RoleGranted(person.Actor.Id, Roles.Auditor, "Elected.", TimeProvider.System.Now()));

    private static async Task RecordAsync(this LumoraApp app, Person person, object fact)
    {
        await using var session = app.Get<ShardSessions>().Open(ShardRole.Global, ParticipantDecider.Configuration);
        session.Events.Append(Participant.StreamOf(person.Actor.Id), fact);
        await session.SaveChangesAsync(Ct);
    }

    /// <summary>A request of 8 days ago.</summary>
    public static async Task<string> AskedLongAgoAsync(this LumoraApp app, Person steward, string key, LedgerCommand command)
    {
        var decision = ApprovalDecider.Request(
            null, steward.Actor, key, command, TimeProvider.System.Now().AddDays(-8));
        var id = Approval.IdOf(steward.Actor.Id, key);
        await using var session = app.Get<ShardSessions>().Open(ShardRole.Global, steward.Actor);
        session.Events.StartStream<Approval>(Approval.StreamOf(id), ((Decision.Accepted)decision).Events);
        await session.SaveChangesAsync(Ct);
        return id;
    }
}
