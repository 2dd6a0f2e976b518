using System.Net.Http.Json;
using System.Text.Json;
using Lumora.Api.GraphQL;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Projections.Ledger;

namespace Lumora.Integration.Tests.Ledger;

/// <summary>What the API answered to one request. <paramref name="Code"/> is "ok" where it took effect.</summary>
internal sealed record LedgerAnswer(
    string Code, bool Replayed = false, long? Version = null, DateTimeOffset? At = null, string? Field = null, int? RetryAfterMs = null)
{
    public const string Ok = "ok";

    public static LedgerAnswer Of(LedgerOutcome outcome) => outcome switch
    {
        LedgerOutcome.Posted posted => new(Ok, posted.Replayed, posted.JournalVersion, posted.At),
        LedgerOutcome.Refused refused => new(refused.Rejection.Code, refused.Replayed, Field: refused.Rejection.Field),
        var other => throw new InvalidOperationException(other.ToString()),
    };

    public static LedgerAnswer Of(JsonElement payload)
    {
        if (payload.GetProperty("error") is { ValueKind: JsonValueKind.Object } error)
        {
            var wait = payload.GetProperty("retryAfterMs");
            return new(
                error.GetProperty("code").GetString()!, payload.GetProperty("replayed").GetBoolean(), Field: error.GetProperty("field").GetString(),
                RetryAfterMs: wait.ValueKind == JsonValueKind.Number ? wait.GetInt32() : null);
        }

        var outcome = payload.GetProperty("outcome");
        return new(
            Ok, outcome.GetProperty("replayed").GetBoolean(),
            outcome.GetProperty("journalVersion").GetString() is { } version
                ? long.Parse(version, System.Globalization.CultureInfo.InvariantCulture)
                : null,
            outcome.GetProperty("at").GetDateTimeOffset());
    }
}

/// <summary>The ledger's requests as a client of the API sends them.</summary>
internal static class LedgerGraph
{
    private const string Fields = "{ outcome { transactionId journalVersion at replayed } error { code message field } replayed retryAfterMs }";

    /// <summary>Asks over HTTP; faults of the transport and errors of GraphQL are exceptions.</summary>
    public static async Task<LedgerAnswer> AskAsync(
        this HttpClient client, LedgerRequest request, CancellationToken ct, bool dryRun = false)
    {
        var (field, input) = Mutation(request);
        input["dryRun"] = dryRun;
        return LedgerAnswer.Of(await SendAsync(client, field, input, Fields, ct));
    }

    /// <summary>Asks in one bulk call for requests that are all transfers.</summary>
    public static async Task<IReadOnlyList<LedgerAnswer>> AskAllAsync(
        this HttpClient client, IReadOnlyList<LedgerRequest> requests, BulkMode mode, CancellationToken ct, bool dryRun = false)
    {
        var input = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["transfers"] = requests.Select(request => Mutation(request).Input).ToList(),
            ["mode"] = mode == BulkMode.AllOrNothing ? "ALL_OR_NOTHING" : "INDEPENDENT",
            ["dryRun"] = dryRun,
        };
        var payload = await SendAsync(client, "transfers", input, $$"""{ results {{Fields}} error { code field } }""", ct);
        Assert.Equal(JsonValueKind.Null, payload.GetProperty("error").ValueKind);
        return [.. payload.GetProperty("results").EnumerateArray().Select(LedgerAnswer.Of)];
    }

    /// <summary>Sends one mutation and returns its payload.</summary>
    public static async Task<JsonElement> SendAsync(
        HttpClient client, string field, object input, string selection, CancellationToken ct)
    {
        using var response = await PostAsync(client, field, input, selection, ct);
        var text = await response.Content.ReadAsStringAsync(ct);
        var answer = JsonDocument.Parse(text).RootElement;
        return answer.TryGetProperty("errors", out _)
            ? throw new HttpRequestException(text)
            : answer.GetProperty("data").GetProperty("it");
    }

    /// <summary>Sends one mutation.</summary>
    public static Task<HttpResponseMessage> PostAsync(
        HttpClient client, string field, object input, string selection, CancellationToken ct)
    {
        var type = InputTypes.GetValueOrDefault(field) ?? $"{char.ToUpperInvariant(field[0])}{field[1..]}Input";
        var query = $$"""mutation($input: {{type}}!) { it: {{field}}(input: $input) {{selection}} }""";
        return client.PostAsJsonAsync("/graphql", new { query, variables = new { input } }, ct);
    }

    private static readonly Dictionary<string, string> InputTypes = new(StringComparer.Ordinal)
    {
        ["freezeAccount"] = "GovernAccountInput",
        ["unfreezeAccount"] = "GovernAccountInput",
        ["closeAccount"] = "GovernAccountInput",
    };

    /// <summary>The mutation of a request, and its input.</summary>
    public static (string Field, Dictionary<string, object?> Input) Mutation(LedgerRequest request)
    {
        var (field, input) = request.Command switch
        {
            PostTransaction c when SuspensePayout.Read(c) is var (account, posting, reason) => ("payOutSuspense", new(
                Govern(account, reason), StringComparer.Ordinal)
            {
                ["to"] = posting.To == account ? null : posting.To,
                ["amount"] = posting.Amount.ToString(),
            }),
            PostTransaction c => ("transfer", new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["from"] = c.Postings[0].From,
                ["payments"] = c.Postings.Select(p => new { to = p.To, amount = p.Amount.ToString() }).ToList(),
                ["reference"] = Reference(c.Reference),
                ["metadata"] = Metadata(c.Metadata),
            }),
            HoldFunds c => ("holdFunds", new(StringComparer.Ordinal)
            {
                ["account"] = c.Code,
                ["amount"] = c.Amount.ToString(),
                ["deadline"] = c.Deadline.ToWire(),
                ["reference"] = Reference(c.Reference),
                ["metadata"] = Metadata(c.Metadata),
            }),
            CaptureHold c => ("captureHold", new(StringComparer.Ordinal)
            {
                ["hold"] = Text(c.Hold),
                ["payments"] = c.Payments.Select(p => new { to = p.To, amount = p.Amount.ToString() }).ToList(),
                ["finish"] = c.Finish,
            }),
            ReleaseHold c => ("releaseHold", new(StringComparer.Ordinal) { ["hold"] = Text(c.Hold) }),
            FreezeAccount c => ("freezeAccount", Govern(c.Code, c.Reason)),
            UnfreezeAccount c => ("unfreezeAccount", Govern(c.Code, c.Reason)),
            CloseAccount c => ("closeAccount", Govern(c.Code, c.Reason)),
            ChangeFloor c => ("changeFloor", new(Govern(c.Code, c.Reason), StringComparer.Ordinal)
            {
                ["floor"] = c.Floor is { } floor ? Text(floor) : null,
                ["unbounded"] = c.Floor is null,
            }),
            ReverseTransaction c => ("reverseTransaction", new(StringComparer.Ordinal)
            {
                ["transaction"] = Text(c.Transaction),
                ["reason"] = c.Reason,
                ["parts"] = c.Parts?.Select(part => new { posting = part.Posting, amount = part.Amount.ToString() }).ToList(),
            }),
            var other => throw new ArgumentOutOfRangeException(nameof(request), other.GetType().Name, "no mutation"),
        };
        input["idempotencyKey"] = request.Key;
        return (field, input);
    }

    private static ReferenceInput? Reference(TransactionReference? reference) =>
        reference is null ? null : new ReferenceInput(reference.Type, reference.Id);

    private static List<MetadataInput>? Metadata(IReadOnlyDictionary<string, string>? metadata) =>
        metadata?.Select(pair => new MetadataInput(pair.Key, pair.Value)).ToList();

    private static Dictionary<string, object?> Govern(string code, string reason) =>
        new(StringComparer.Ordinal) { ["account"] = code, ["reason"] = reason };

    private static string Text(long number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
