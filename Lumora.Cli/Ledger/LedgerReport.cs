using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Lumora.Cli.Reports;
using Lumora.Projections.Ledger;

namespace Lumora.Cli.Ledger;

/// <summary>
/// Writes findings as they come: the first ones as lines for people, all of them as NDJSON into a file, and how far the
/// replay is on a terminal.
/// </summary>
internal sealed class LedgerReport : IAsyncDisposable
{
    private const int Shown = 50;
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        // Rows are JSON inside a string: quotes stay short.
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly TextWriter _output;
    private readonly StreamWriter? _file;
    private readonly SortedDictionary<string, long> _counts = new(StringComparer.Ordinal);
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly bool _terminal = !Console.IsErrorRedirected;
    private bool _line;

    public LedgerReport(TextWriter output, string? file) =>
        (_output, _file) = (output, file is null ? null : new StreamWriter(file));

    /// <summary>Findings so far.</summary>
    public long Count => _counts.Values.Sum();

    public void Found(LedgerFinding finding)
    {
        EndLine();
        if (Count < Shown)
            _output.WriteLine(
                $"  WRONG            {finding.Code} {finding.Where}: expected {Text(finding.Expected)}, found {Text(finding.Actual)}");
        _counts[finding.Code] = _counts.GetValueOrDefault(finding.Code) + 1;
        _file?.WriteLine(JsonSerializer.Serialize(finding, Json));
    }

    public void Replayed(LedgerProgress progress)
    {
        if (!_terminal)
            return;
        _line = true;
        var perSecond = progress.Replayed / Math.Max(_clock.Elapsed.TotalSeconds, 0.001);
        Console.Error.Write(string.Create(
            CultureInfo.InvariantCulture, $"\rReplayed {progress.Replayed:N0} of {progress.Of:N0} events, {perSecond:N0}/s  "));
    }

    /// <summary>Ends the report; gives the exit code.</summary>
    public int Finish(long events, string clean)
    {
        EndLine();
        if (Count > Shown)
            _output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"  … and {Count - Shown} more; --json FILE has them all"));
        foreach (var (code, count) in _counts)
            _output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {count,8} {code}"));
        var verdict = Count switch { 0 => clean, 1 => "1 finding", _ => string.Create(CultureInfo.InvariantCulture, $"{Count} findings") };
        var seconds = _clock.Elapsed.TotalSeconds;
        _output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{verdict}: {events} events replayed, {seconds:0.0} s, {events / seconds:0} events/s."));
        return Count == 0 ? ExitCodes.Clean : ExitCodes.Findings;
    }

    public async ValueTask DisposeAsync()
    {
        EndLine();
        if (_file is not null)
            await _file.DisposeAsync();
    }

    private void EndLine()
    {
        if (_line)
            Console.Error.WriteLine();
        _line = false;
    }

    private static string Text(string side) => side.Length == 0 ? "nothing" : side;
}
