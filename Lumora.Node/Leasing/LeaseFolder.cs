using System.Text;
using System.Text.Json;
using Lumora.Domain.Kernel;
using Lumora.Domain.Tasks;

namespace Lumora.Node.Leasing;

/// <summary>A finished page as it is kept until the lease ends.</summary>
/// <param name="Result">For the task result.</param>
/// <param name="RecordsEnd">Length of the records' file after this page.</param>
/// <param name="Redactions">What was redacted in this page, by kind.</param>
internal sealed record PageProgress(PageResult Result, long RecordsEnd, IReadOnlyDictionary<string, int> Redactions);

/// <summary>A lease in work.</summary>
/// <param name="Lease">As the gateway gave it.</param>
/// <param name="StartedAt">When the work began.</param>
internal sealed record LeaseInWork(Lease Lease, DateTimeOffset StartedAt);

/// <summary>
/// The one lease in work, on disk, so that a restart goes on where the last run stopped. Order of writing: records of a
/// page, then the page's line; a line that is there vouches for its records, and what follows the last line's records
/// is cut off. The signed result is written once and never again: a second receipt of one (lease, seq) would be a fault.
/// </summary>
internal sealed class LeaseFolder(string folder)
{
    private string LeasePath => Path.Combine(folder, "lease.json");

    private string PagesPath => Path.Combine(folder, "pages.jsonl");

    private string RecordsPath => Path.Combine(folder, "records.ndjson");

    private string ResultPath => Path.Combine(folder, "result.json");

    /// <summary>The encrypted result.</summary>
    internal string CiphertextPath => Path.Combine(folder, "result.age");

    /// <summary>Starts with a new lease.</summary>
    internal void Begin(LeaseInWork work)
    {
        Clear();
        Directory.CreateDirectory(folder);
        AtomicFile.Write(LeasePath, JsonSerializer.SerializeToUtf8Bytes(work, WireJson.Messages));
    }

    /// <summary>The lease of the last run; null when it had none. A lease file that cannot be read is thrown away.</summary>
    internal LeaseInWork? Find() => Read<LeaseInWork>(LeasePath);

    /// <summary>The signed result, when the last run came that far.</summary>
    internal TaskResult? FindResult() => Read<TaskResult>(ResultPath);

    /// <summary>Pages that were finished; brings the records' file to the same point.</summary>
    internal List<PageProgress> Recover()
    {
        var pages = new List<PageProgress>();
        var length = 0L;
        foreach (var line in File.Exists(PagesPath) ? File.ReadAllLines(PagesPath) : [])
        {
            if (ParseLine(line) is not { } page)
                break;
            pages.Add(page);
        }

        var recordsEnd = pages.Count > 0 ? pages[^1].RecordsEnd : 0;
        using (var records = AtomicFile.Open(RecordsPath, FileMode.OpenOrCreate))
        {
            length = records.Length;
            if (length > recordsEnd)
                records.SetLength(recordsEnd);
        }

        // Records that a page line vouches for but that the disk lost: fetch all again.
        if (length < recordsEnd)
        {
            pages.Clear();
            File.Delete(RecordsPath);
        }

        // A torn last line goes, so that the next one does not stick to it.
        AtomicFile.Write(PagesPath, Encoding.UTF8.GetBytes(string.Concat(pages.Select(Line))));
        return pages;
    }

    /// <summary>Length of the records so far.</summary>
    internal long RecordsLength => File.Exists(RecordsPath) ? new FileInfo(RecordsPath).Length : 0;

    /// <summary>Keeps a finished page.</summary>
    internal PageProgress Add(PageResult result, IReadOnlyList<byte[]> lines, IReadOnlyDictionary<string, int> redactions)
    {
        long end;
        using (var records = AtomicFile.Open(RecordsPath, FileMode.Append, FileAccess.Write))
        {
            foreach (var line in lines)
            {
                records.Write(line);
                records.WriteByte((byte)'\n');
            }

            records.Flush(flushToDisk: true);
            end = records.Position;
        }

        var page = new PageProgress(result, end, redactions);
        using var pages = AtomicFile.Open(PagesPath, FileMode.Append, FileAccess.Write);
        pages.Write(Encoding.UTF8.GetBytes(Line(page)));
        pages.Flush(flushToDisk: true);
        return page;
    }

    /// <summary>The plaintext, for reading.</summary>
    internal FileStream OpenRecords() => AtomicFile.Open(RecordsPath, FileMode.OpenOrCreate);

    /// <summary>Keeps the signed result; from now on it is only uploaded.</summary>
    internal void Finish(TaskResult result)
    {
        AtomicFile.Write(ResultPath, JsonSerializer.SerializeToUtf8Bytes(result, WireJson.Messages));
        File.Delete(RecordsPath);
    }

    /// <summary>Forgets the lease.</summary>
    internal void Clear()
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    private static string Line(PageProgress page) => JsonSerializer.Serialize(page, WireJson.Messages) + "\n";

    private static PageProgress? ParseLine(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<PageProgress>(line, WireJson.Messages);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static T? Read<T>(string path)
        where T : class
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize<T>(File.ReadAllBytes(path), WireJson.Messages) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
