using AngleSharp.Css.Parser;
using Lumora.Domain.Tasks;

namespace Lumora.Api.Tasks;

/// <summary>CSS selectors as AngleSharp reads them, which is what nodes use.</summary>
internal sealed class CssSyntax : ISelectorSyntax
{
    private readonly CssSelectorParser _parser = new();

    /// <inheritdoc/>
    public bool IsValid(string selector) => _parser.ParseSelector(selector) is not null;
}
