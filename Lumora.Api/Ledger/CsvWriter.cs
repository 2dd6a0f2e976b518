using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace Lumora.Api.Ledger;

/// <summary>
/// Records of RFC 4180: fields between commas, quoted where they hold a comma, a quote or a line break; CRLF after each
/// record. What is written waits in the pipe, <see cref="WaitingBytesMax"/> at most: then the reader sets the pace.
/// </summary>
internal sealed class CsvWriter(PipeWriter pipe)
{
    private const int WaitingBytesMax = 16 * 1024;

    // What a spreadsheet takes for the start of a formula (OWASP, "CSV Injection").
    private static readonly SearchValues<char> Formula = SearchValues.Create("=+-@\t\r\n");
    private static readonly SearchValues<char> Special = SearchValues.Create(",\"\r\n");
    private readonly StringBuilder _record = new();
    private bool _started;

    /// <summary>Adds a field of our own making: a number, a time, a name.</summary>
    public CsvWriter Field(string? value)
    {
        if (_started)
            _record.Append(',');
        _started = true;
        if (value is not null && value.AsSpan().ContainsAny(Special))
            _record.Append('"').Append(value.Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"');
        else
            _record.Append(value);
        return this;
    }

    /// <summary>Adds a field that somebody else chose: one that would be a formula gets an apostrophe in front.</summary>
    public CsvWriter Text(string? value) =>
        Field(value is { Length: > 0 } && Formula.Contains(value[0]) ? "'" + value : value);

    /// <summary>Ends the record; waits when too much of what was written is not read yet.</summary>
    public ValueTask<FlushResult> EndAsync(CancellationToken ct)
    {
        _record.Append("\r\n");
        Encoding.UTF8.GetBytes(_record.ToString(), pipe);
        _record.Clear();
        _started = false;
        return pipe.UnflushedBytes >= WaitingBytesMax ? pipe.FlushAsync(ct) : default;
    }
}
