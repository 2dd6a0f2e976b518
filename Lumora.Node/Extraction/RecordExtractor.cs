using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AngleSharp.Dom;
using Lumora.Domain.Kernel;
using Lumora.Domain.Tasks;

namespace Lumora.Node.Extraction;

/// <summary>
/// Takes the records of one page by the lease's rules: one canonical JSON line a record. Scripts are never run. Redacts
/// before a value is read, so that nothing personal reaches the disk.
/// </summary>
internal static class RecordExtractor
{
    /// <summary>Characters of one value that are looked at; what comes out is cut to <see cref="FieldValues.LengthMax"/>.</summary>
    private const int RawLengthMax = 4 * FieldValues.LengthMax;

    /// <summary>The lines of <paramref name="html"/>, without newlines; what was redacted is added to <paramref name="redactions"/>.</summary>
    /// <param name="lease">Rules and limits.</param>
    /// <param name="requested">The page's address as the lease has it: the record's <c>url</c>.</param>
    /// <param name="page">The address after redirects: base of relative links unless the page names one.</param>
    /// <param name="html">The page.</param>
    /// <param name="fetchedAt">The record's <c>fetchedAt</c>.</param>
    /// <param name="redactions">Counts by kind.</param>
    /// <exception cref="PageTooComplexException">The page is built to exhaust its reader.</exception>
    internal static IReadOnlyList<byte[]> Extract(
        Lease lease, string requested, Uri page, string html, DateTimeOffset fetchedAt, IDictionary<string, int> redactions)
    {
        using var document = BoundedParser.Parse(html);
        var baseUrl = BaseOf(document, page);
        IEnumerable<IElement> elements = lease.RecordSelector is { } selector
            ? document.QuerySelectorAll(selector)
            : [document.DocumentElement];
        var lines = new List<byte[]>();
        foreach (var element in elements.Take(lease.RecordsPerPageMax))
        {
            var counts = new Dictionary<string, int>(StringComparer.Ordinal);
            if (Read(lease, element, baseUrl, counts) is not { } fields)
                continue;
            fields["url"] = requested;
            fields["fetchedAt"] = fetchedAt.ToWire();
            lines.Add(CanonicalJson.Canonicalize(JsonSerializer.SerializeToElement(fields)));
            foreach (var (kind, count) in counts)
                redactions[kind] = (redactions.TryGetValue(kind, out var before) ? before : 0) + count;
        }

        return lines;
    }

    /// <summary>The fields of one record; null when a required one is missing or there is none at all.</summary>
    private static JsonObject? Read(Lease lease, IElement scope, Uri page, Dictionary<string, int> counts)
    {
        var record = new JsonObject();
        foreach (var rule in lease.Rules)
        {
            var element = ExtractionRules.IsScope(rule.Selector) ? scope : scope.QuerySelector(rule.Selector);
            var raw = element is null ? null : Raw(rule, element);
            var value = raw is null ? null : Value(rule.Type, raw, page, lease.Redact ? counts : null);
            if (value is not null)
                record[rule.Field] = value;
            else if (rule.Required)
                return null;
        }

        return record.Count > 0 ? record : null;
    }

    private static JsonValue? Value(FieldType type, string raw, Uri page, Dictionary<string, int>? counts)
    {
        if (counts is null || type is not (FieldType.Text or FieldType.Html or FieldType.Url))
            return FieldValues.Read(type, raw, page);
        raw = raw.Length > RawLengthMax ? raw[..RawLengthMax] : raw;
        var redacted = Redactor.Redact(raw, counts);
        // An address with a hole in it leads nowhere: it is left out.
        return type == FieldType.Url && redacted != raw ? null : FieldValues.Read(type, redacted, page);
    }

    private static string? Raw(ExtractionRule rule, IElement element)
    {
        if (rule.Attribute is { } attribute)
            return element.GetAttribute(attribute);
        if (rule.Type == FieldType.Html)
            return element.InnerHtml;
        var text = new StringBuilder();
        AppendText(element, text);
        return text.ToString();
    }

    /// <summary>The text that a reader sees: no scripts, styles or templates. An explicit stack: pages nest deeper than threads do.</summary>
    private static void AppendText(IElement root, StringBuilder text)
    {
        var open = new Stack<INode>();
        open.Push(root);
        while (open.TryPop(out var node))
        {
            if (node is IText { Data: var data })
                text.Append(data);
            if (node != root && node is IElement { LocalName: "script" or "style" or "template" or "noscript" })
                continue;
            if (node is IElement { LocalName: "br" or "p" or "div" or "li" or "tr" or "td" or "th" or "dt" or "dd" })
                text.Append(' ');
            for (var child = node.LastChild; child is not null; child = child.PreviousSibling)
                open.Push(child);
        }
    }

    private static Uri BaseOf(IDocument document, Uri page) =>
        document.QuerySelector("base[href]")?.GetAttribute("href") is { } href
        && Uri.TryCreate(page, href, out var named) && HostRule.IsWeb(named)
            ? named
            : page;
}
