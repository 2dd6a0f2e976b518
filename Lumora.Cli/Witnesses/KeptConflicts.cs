using System.Globalization;
using System.Text;
using Lumora.Chain.Notes;
using Lumora.Chain.Witnessing;
using Lumora.Cli.Conflicts;
using Lumora.Domain.Kernel;

namespace Lumora.Cli.Witnesses;

/// <summary>
/// Keeps the evidence that a witness meets, format <c>lumora-evidence/1</c>, in a folder for each log: a file for each pair of notes, so
/// that a request that is repeated adds nothing, and no more than <see cref="FilesMax"/> of each kind.
/// </summary>
internal sealed class KeptConflicts : IShownConflicts
{
    /// <summary>Files of a kind that are kept of a log; the first ones, for one fork is as good as many.</summary>
    public const int FilesMax = 16;

    private readonly string _folder;
    private readonly TextWriter _output;
    private readonly TimeProvider _clock;
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Origin, ConflictKind Kind), long> _shown = [];

    /// <summary>Keeps in <paramref name="folder"/> and says so in <paramref name="output"/>.</summary>
    public KeptConflicts(string folder, TextWriter output, TimeProvider clock) => (_folder, _output, _clock) = (folder, output, clock);

    /// <inheritdoc/>
    public async Task KeepAsync(ShownConflict conflict)
    {
        var kind = conflict.Proof is null ? ConflictKind.NotExtended : ConflictKind.Fork;
        lock (_gate)
            _shown[(conflict.Log.Name, kind)] = _shown.GetValueOrDefault((conflict.Log.Name, kind)) + 1;
        var at = _clock.GetUtcNow();
        var evidence = new ConflictEvidence(
            kind, conflict.Log.ToString(), conflict.What,
            new ConflictNote(Encoding.UTF8.GetString(conflict.First), "the state of this witness", at),
            new ConflictNote(Encoding.UTF8.GetString(conflict.Second), "a request for a cosignature", at),
            [.. (conflict.Proof ?? []).Select(hash => hash.ToBase64())], Entry: null);
        try
        {
            var folder = FolderOf(conflict.Log.Name);
            if (File.Exists(Path.Combine(folder, evidence.FileName)))
                return;
            if (FilesOf(conflict.Log.Name, kind).Count >= FilesMax)
            {
                Say(at, kind, conflict, $"not kept, for {FilesMax} files are there");
                return;
            }

            Say(at, kind, conflict, $"kept as {await evidence.WriteAsync(folder, CancellationToken.None)}");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // The refusal goes out all the same.
            Say(at, kind, conflict, $"not kept: {fault.Message}");
        }
    }

    /// <inheritdoc/>
    public Task ExtendsAsync(Checkpoint checkpoint)
    {
        var mark = ConflictEvidence.Mark(checkpoint.ToText());
        try
        {
            foreach (var file in FilesOf(checkpoint.Origin, ConflictKind.NotExtended).Where(file => file.EndsWith($"-{mark}.json", StringComparison.Ordinal)))
                File.Delete(file);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // The cosignature goes out all the same; the file says no more than that it was not shown then.
            _output.WriteLine($"{_clock.GetUtcNow().ToWire()} {fault.Message}");
        }

        return Task.CompletedTask;
    }

    /// <summary>The files of <paramref name="kind"/> about the log <paramref name="origin"/>.</summary>
    public IReadOnlyList<string> FilesOf(string origin, ConflictKind kind)
    {
        var folder = FolderOf(origin);
        return Directory.Exists(folder)
            ? [.. Directory.EnumerateFiles(folder, kind == ConflictKind.Fork ? "fork-*.json" : "not-extended-*.json").Order(StringComparer.Ordinal)]
            : [];
    }

    /// <summary>Requests since the start that showed a conflict of <paramref name="kind"/> of the log <paramref name="origin"/>.</summary>
    public long ShownOf(string origin, ConflictKind kind)
    {
        lock (_gate)
            return _shown.GetValueOrDefault((origin, kind));
    }

    private string FolderOf(string origin) => Path.Combine(_folder, Witness.HashOf(origin));

    private void Say(DateTimeOffset at, ConflictKind kind, ShownConflict conflict, string outcome) => _output.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{at.ToWire()} {(kind == ConflictKind.Fork ? "FORK" : "not extended")} {conflict.Log.Name}: {conflict.What} {outcome}"));
}
