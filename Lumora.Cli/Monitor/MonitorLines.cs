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

    /// <summary>What was alarming is over, of <paramref name="subject"/>; nothing when it was not.</summary>
    public void Over(string code, string text, string subject = "")
    {
        if (_standing.Remove($"{code} {subject}"))
            Write("over", code, text, null);
    }

    /// <summary>The same of all subjects but <paramref name="standing"/>.</summary>
    public void OverBut(string code, string text, IReadOnlyCollection<string> standing)
    {
        foreach (var subject in _standing.Where(one => one.StartsWith($"{code} ", StringComparison.Ordinal)).Select(one => one[(code.Length + 1)..]).ToList())
        {
            if (!standing.Contains(subject, StringComparer.Ordinal))
                Over(code, $"{text}: {subject}", subject);
        }
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
