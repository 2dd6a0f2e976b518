using System.Text.Json;
using Lumora.Domain.Kernel;
using Lumora.Domain.Merkle;
using Lumora.Domain.Tasks;

namespace Lumora.Api.Tasks;

/// <summary>
/// Judges a plaintext line by line against what the node promised: the content root, the counts per page, canonical
/// lines, and the collection's schema.
/// </summary>
internal sealed class ResultCheck
{
    private readonly CompactRange _range = new();
    private readonly TaskOutput _output;
    private readonly CollectionPlan _plan;
    private readonly Dictionary<string, ExtractionRule> _rules;
    private readonly Dictionary<string, int> _left;
    private int _lines;

    public ResultCheck(CollectionPlan plan, TaskOutput output)
    {
        (_plan, _output) = (plan, output);
        _rules = plan.Rules.ToDictionary(rule => rule.Field, StringComparer.Ordinal);
        _left = output.Pages.ToDictionary(page => page.Url, page => page.Records, StringComparer.Ordinal);
    }

    /// <summary>Before the first line: whether the promise itself keeps to the plan.</summary>
    public Rejection? Begin()
    {
        foreach (var page in _output.Pages)
        {
            if (page.BodyBytes > _plan.PageBytesMax)
                return new Rejection("page_too_large", $"{page.Url} has {page.BodyBytes} bytes.");
            if (page.Records > _plan.RecordsPerPageMax)
                return new Rejection("too_many_records", $"{page.Url} gave {page.Records} records.");
            if (page.Outcome == PageOutcome.Fetched
                && !(Uri.TryCreate(page.FinalUrl, UriKind.Absolute, out var url)
                    && HostRule.Admits(_plan.AllowedHosts, url)))
                return new Rejection("host_not_allowed", $"{page.Url} ended at {page.FinalUrl}.");
            if (page.Outcome != PageOutcome.Fetched && page.Records > 0)
                return new Rejection("records_without_page", $"{page.Url} was not fetched and gave records.");
        }

        return _output.Pages.Any(page => page.Outcome == PageOutcome.Fetched)
            ? null
            : new Rejection("nothing_fetched", "No page of the task could be fetched.");
    }

    /// <summary>Judges the next line (without its newline).</summary>
    public Rejection? Next(ReadOnlyMemory<byte> line)
    {
        _lines++;
        _range.Append(MerkleHash.OfLeaf(line.Span));
        try
        {
            using var document = JsonDocument.Parse(line);
            if (!CanonicalJson.Canonicalize(document.RootElement).AsSpan().SequenceEqual(line.Span))
                return new Rejection("not_canonical", $"Line {_lines} is not canonical JSON.");
            return CheckRecord(document.RootElement);
        }
        catch (JsonException)
        {
            return new Rejection("not_json", $"Line {_lines} is no JSON.");
        }
    }

    /// <summary>After the last line: counts and root.</summary>
    public Rejection? End()
    {
        if (_lines != _output.Records)
            return new Rejection("record_count_wrong", $"{_lines} records instead of {_output.Records}.");
        var root = _range.Root().ToString();
        return root == _output.ContentRoot
            ? null
            : new Rejection("content_root_mismatch", $"The records hash to {root}, promised was {_output.ContentRoot}.");
    }

    private Rejection? CheckRecord(JsonElement record)
    {
        if (record.ValueKind != JsonValueKind.Object)
            return new Rejection("schema_mismatch", $"Line {_lines} is no record.");
        string? url = null;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var property in record.EnumerateObject())
        {
            seen.Add(property.Name);
            if (property.Name == "url")
                url = property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString() : null;
            else if (property.Name == "fetchedAt")
            {
                if (property.Value.ValueKind != JsonValueKind.String || !property.Value.TryGetDateTimeOffset(out _))
                    return Mismatch("fetchedAt");
            }
            else if (!_rules.TryGetValue(property.Name, out var rule) || !FieldValues.IsValid(rule.Type, property.Value))
                return Mismatch(property.Name);
        }

        if (!seen.Contains("fetchedAt"))
            return Mismatch("fetchedAt");
        if (_plan.Rules.FirstOrDefault(rule => rule.Required && !seen.Contains(rule.Field)) is { } missing)
            return Mismatch(missing.Field);
        if (url is null || !_left.TryGetValue(url, out var left) || left == 0)
            return new Rejection("page_count_wrong", $"Line {_lines} has a record too many for its page.");
        _left[url] = left - 1;
        return null;
    }

    private Rejection Mismatch(string field) =>
        new("schema_mismatch", $"Line {_lines}: the field '{field}' is missing, unknown or of another type.");
}
