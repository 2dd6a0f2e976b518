using System.Text.Json;
using Lumora.Domain.Kernel;

namespace Lumora.Cli.Monitor;

/// <summary>
/// What a monitor says. An alarm is said when it begins and once more when it is over, not with every look.
/// </summary>
internal sealed class MonitorLines(TextWriter output, bool json, TimeProvider clock)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly HashSet<string> _standing = new(StringComparer.Ordinal);
    private readonly HashSet<string> _noticed = new(StringComparer.Ordinal);

    /// <summary>Alarms so far.</summary>
    public int Alarms { get; private set; }

    /// <summary>Something happened that may.</summary>
    public void Say(string code, string text) => Write("ok", code, text, null);

    /// <summary>Something to know, said once.</summary>
    public void Notice(string code, string text)
    {
        if (_noticed.Add($"{code} {text}"))
            Write("notice", code, text, null);
    }

    /// <summary>Something happened that must not; said again only after it was over, or when <paramref name="subject"/> is another.</summary>
    public void Alarm(string code, string text, string? evidence = null, string subject = "")
    {
        if (!_standing.Add($"{code} {subject}"))
            return;
        Alarms++;
        Write("ALARM", code, text, evidence);
    }

    /// <summary>What was alarming is over; nothing when it was not.</summary>
    public void Over(string code, string text)
    {
        if (_standing.RemoveWhere(standing => standing.StartsWith($"{code} ", StringComparison.Ordinal)) > 0)
            Write("over", code, text, null);
    }

    private void Write(string level, string code, string text, string? evidence)
    {
        var at = clock.GetUtcNow().ToWire();
        output.WriteLine(json
            ? JsonSerializer.Serialize(new { at, level = level.ToLowerInvariant(), code, text, evidence }, Json)
            : $"{at} {level,-6} {code,-16} {text}{(evidence is null ? "" : $"; evidence: {evidence}")}");
        output.Flush();
    }
}
