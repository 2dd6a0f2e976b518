using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;
using Lumora.Domain.Log;

namespace Lumora.Cli.Audit;

/// <summary>
/// Holds the export (<c>/v1/events</c>) against the bundles, line by line, while these are read: whoever replays events from there must
/// see the very bytes that the log commits to.
/// </summary>
internal sealed class ExportCheck : IAsyncDisposable
{
    /// <summary>The claim that this checks.</summary>
    public const string Claim = "export_same";

    private const int FindingsMax = 20;
    private const int BufferBytes = 128 * 1024;
    private const int ReopensMax = 5;

    private static readonly TimeSpan ReopenPause = TimeSpan.FromSeconds(1);

    private readonly List<Finding> _findings = [];
    private readonly ILogSource _source;
    private PipeReader _lines;
    private ReadOnlySequence<byte> _rest;
    private bool _hasRead;
    private bool _isEnd;
    private bool _isOver;
    // The entry that the next line has to be.
    private long _next;
    private int _reopens;

    private ExportCheck(ILogSource source, Stream export, long from) => (_source, _lines, _next) = (source, LinesOf(export), from);

    /// <summary>Where lines are not those entries; the first <see cref="FindingsMax"/>.</summary>
    public IReadOnlyList<Finding> Findings => _findings;

    /// <summary>Opens the export at the entry <paramref name="from"/>; null where there is none. Lines behind the last entry came later.</summary>
    public static async Task<ExportCheck?> OpenAsync(ILogSource source, long from, CancellationToken cancellationToken) =>
        await source.ExportAsync(from, cancellationToken) is { } export ? new ExportCheck(source, export, from) : null;

    /// <summary>Compares the next entry. Lines of entries in between, whose bundle is missing, are passed over.</summary>
    public async ValueTask TakeAsync(long index, ReadOnlyMemory<byte> entry, CancellationToken cancellationToken)
    {
        while (!_isOver && _next <= index)
        {
            if (_rest.PositionOf((byte)'\n') is not { } end)
            {
                await ReadAsync(cancellationToken);
                continue;
            }

            if (_next == index && !IsSame(_rest.Slice(0, end), entry.Span))
                Add("its line in /v1/events is not the entry in the bundle");
            _rest = _rest.Slice(_rest.GetPosition(1, end));
            _next++;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _lines.CompleteAsync();

    private static bool IsSame(in ReadOnlySequence<byte> line, ReadOnlySpan<byte> entry) =>
        line.Length == entry.Length && (line.IsSingleSegment ? line.FirstSpan : line.ToArray()).SequenceEqual(entry);

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        if (_rest.Length > Leaf.BytesMax || _isEnd)
        {
            Add(_isEnd
                ? "/v1/events ends in front of it, the checkpoint covers it"
                : $"its line in /v1/events is longer than {Leaf.BytesMax} bytes");
            _isOver = true;
            return;
        }

        if (_hasRead)
            _lines.AdvanceTo(_rest.Start, _rest.End);
        try
        {
            var read = await _lines.ReadAsync(cancellationToken);
            (_rest, _isEnd, _hasRead) = (read.Buffer, read.IsCompleted, true);
        }
        catch (IOException exception) when (_reopens++ < ReopensMax)
        {
            // The connection was lost: an export goes on from any entry.
            await _lines.CompleteAsync();
            await Task.Delay(ReopenPause, cancellationToken);
            _lines = LinesOf(await _source.ExportAsync(_next, cancellationToken)
                ?? throw new UnableException($"{_source.Name}: the export is gone since the audit began.", exception));
            (_rest, _hasRead) = (default, false);
        }
    }

    private static PipeReader LinesOf(Stream export) => PipeReader.Create(export, new StreamPipeReaderOptions(bufferSize: BufferBytes));

    private void Add(string fault)
    {
        _findings.Add(new Finding(Claim, string.Create(CultureInfo.InvariantCulture, $"entry {_next}"), fault));
        _isOver = _findings.Count >= FindingsMax;
    }
}
