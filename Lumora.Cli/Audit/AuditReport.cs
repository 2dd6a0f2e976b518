using System.Text.Json;
using System.Text.Json.Serialization;
using Lumora.Cli.Reports;

namespace Lumora.Cli.Audit;

/// <summary>What an audit counted.</summary>
internal sealed record AuditCounts(
    long Entries, int Streams, int Journals, long LedgerEvents, int Accounts, int Detached, int Anchors, int Purchases, long Epochs);

/// <summary>The machine-readable result of an audit, format <c>lumora-audit/1</c> (docs/audit.md).</summary>
internal sealed record AuditReport(
    string Source,
    string Shard,
    string Key,
    string? Origin,
    long Size,
    string? Root,
    IReadOnlyList<Claim> Claims,
    IReadOnlyList<Finding> Findings,
    AuditCounts Counts,
    long ResumedFrom,
    IReadOnlyList<string> Evidence,
    DateTimeOffset StartedAt,
    double Seconds)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        // Keys and roots are base64: a plus sign stays one.
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    /// <summary>The format's name.</summary>
    [JsonPropertyOrder(-1)]
    [JsonPropertyName("format")]
    public string FormatName => "lumora-audit/1";

    /// <summary>What was asked and could not be done, or null.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Unable { get; init; }

    /// <summary><c>clean</c>, <c>findings</c> or, without any and something left undone, <c>unable</c>.</summary>
    public string Result => (Findings.Count, Unable) switch
    {
        ( > 0, _) => "findings",
        (_, null) => "clean",
        _ => "unable",
    };

    /// <summary>The report as JSON.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Json);
}
