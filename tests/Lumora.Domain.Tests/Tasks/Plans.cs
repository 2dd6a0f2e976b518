using Lumora.Domain.Tasks;

namespace Lumora.Domain.Tests.Tasks;

/// <summary>A plan that holds every rule; tests change one thing.</summary>
internal static class Plans
{
    public static CollectionPlan Valid { get; } = new(
        "Manual", "A test of the whole way.", "PostgreSQL", ["example.org"], ["https://example.org/a"], Sitemap: null,
        [new ExtractionRule("title", "h1", Required: true)], RecordSelector: null, Replication: 1, PagesMax: 100,
        PagesPerTask: 10, PageBytesMax: 1 << 20, RecordsPerPageMax: 100, AttemptsMax: 3, Redact: true);

    /// <summary>Stands for the HTML parser: '!' is in no selector.</summary>
    public sealed class Syntax : ISelectorSyntax
    {
        public bool IsValid(string selector) => !selector.Contains('!', StringComparison.Ordinal);
    }
}
