using System.Globalization;
using System.Text;
using Lumora.Cli.Conflicts;

namespace Lumora.Cli.Witnesses;

/// <summary>What a witness says of the logs that it knows, to its operator: <c>/healthz</c> and <c>/metrics</c>.</summary>
/// <param name="logs">The names of the logs.</param>
/// <param name="conflicts">What it keeps about them.</param>
internal sealed class WitnessStanding(IReadOnlyList<string> logs, KeptConflicts conflicts)
{
    private static readonly (ConflictKind Kind, string Name)[] Kinds = [(ConflictKind.Fork, "fork"), (ConflictKind.NotExtended, "not_extended")];

    /// <summary><c>ok</c>, or the evidence of forks, a file a line. A witness of a forked log works on: it is the log that is not well.</summary>
    public string Health()
    {
        var forks = logs.SelectMany(log => conflicts.FilesOf(log, ConflictKind.Fork).Select(file => $"{log} {file}\n")).ToList();
        return forks.Count == 0 ? "ok\n" : $"fork\n{string.Concat(forks)}";
    }

    /// <summary>The meters in Prometheus's text form.</summary>
    public string Metrics()
    {
        var text = new StringBuilder("# TYPE witness_conflicts_total counter\n");
        foreach (var (log, kind) in Each())
            text.Append(CultureInfo.InvariantCulture, $"witness_conflicts_total{{log=\"{Label(log)}\",kind=\"{kind.Name}\"}} {conflicts.ShownOf(log, kind.Kind)}\n");
        text.Append("# TYPE witness_evidence_files gauge\n");
        foreach (var (log, kind) in Each())
            text.Append(CultureInfo.InvariantCulture, $"witness_evidence_files{{log=\"{Label(log)}\",kind=\"{kind.Name}\"}} {conflicts.FilesOf(log, kind.Kind).Count}\n");
        return text.ToString();
    }

    private IEnumerable<(string Log, (ConflictKind Kind, string Name) Kind)> Each() => logs.SelectMany(log => Kinds.Select(kind => (log, kind)));

    private static string Label(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
}
