using FluentValidation;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Datasets;

/// <summary>What a publisher says about a version before it is built.</summary>
/// <param name="CollectionId">The collection whose accepted results become the data.</param>
/// <param name="Title">3 to 200 characters.</param>
/// <param name="Description">10 to 5,000 characters.</param>
/// <param name="Topic">Lower-case words joined by hyphens, at most 60 characters.</param>
/// <param name="Price">At least one base unit, at most 10⁹ LMR.</param>
/// <param name="Licence">An SPDX identifier out of <see cref="Licences.Known"/>.</param>
/// <param name="Version">The version; null for the next one.</param>
public sealed record DatasetDraft(
    string CollectionId, string Title, string Description, string Topic, Amount Price, string Licence,
    SemVer? Version = null);

/// <summary>Tells everything that is wrong with a draft at once, each with a stable code and the field's wire name.</summary>
public sealed class DatasetDraftValidator : AbstractValidator<DatasetDraft>
{
    /// <summary>The rule that a price follows, for people.</summary>
    public const string PriceRule = "The price is at least one base unit and at most 1,000,000,000 LMR.";

    private static readonly Amount PriceMax = Amount.FromLmr(1_000_000_000);

    /// <summary>Makes the validator; it has no state.</summary>
    public DatasetDraftValidator()
    {
        RuleFor(draft => draft.CollectionId)
            .Must(id => TypeId.IsValid("collection", id))
            .WithErrorCode("invalid_collection").WithMessage("This is not the id of a collection.");
        RuleFor(draft => draft.Title)
            .Must(title => IsText(title, 3, 200, lines: false))
            .WithErrorCode("invalid_title").WithMessage("A title has 3 to 200 characters on one line.");
        RuleFor(draft => draft.Description)
            .Must(text => IsText(text, 10, 5_000, lines: true))
            .WithErrorCode("invalid_description").WithMessage("A description has 10 to 5,000 characters.");
        RuleFor(draft => draft.Topic)
            .Must(IsTopic)
            .WithErrorCode("invalid_topic")
            .WithMessage("A topic is lower-case words joined by hyphens, at most 60 characters.");
        RuleFor(draft => draft.Price)
            .Must(IsPriceInRange)
            .WithErrorCode("invalid_price").WithMessage(PriceRule);
        RuleFor(draft => draft.Licence)
            .Must(Licences.IsKnown)
            .WithErrorCode("invalid_licence")
            .WithMessage($"The licence is one of these SPDX identifiers: {string.Join(", ", Licences.Known)}.");
    }

    /// <summary>Every problem of <paramref name="draft"/>; empty when it is fine.</summary>
    public IReadOnlyList<Rejection> Problems(DatasetDraft draft) =>
    [
        .. Validate(draft).Errors.Select(error => new Rejection(
            error.ErrorCode, error.ErrorMessage, char.ToLowerInvariant(error.PropertyName[0]) + error.PropertyName[1..])),
    ];

    internal static bool IsPriceInRange(Amount price) => price > Amount.Zero && price <= PriceMax;

    private static bool IsText(string? text, int min, int max, bool lines) =>
        text is not null && text.Trim().Length >= min && text.Length <= max
        && !text.Any(c => char.IsControl(c) && !(lines && c is '\n' or '\t'));

    private static bool IsTopic(string? topic) =>
        topic is { Length: > 0 and <= 60 }
        && topic.Split('-').All(word => word.Length > 0 && word.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c)));
}

/// <summary>The licences that a dataset can be sold under.</summary>
public static class Licences
{
    /// <summary>SPDX identifiers, ordered.</summary>
    public static IReadOnlyList<string> Known { get; } =
        ["CC-BY-4.0", "CC-BY-SA-4.0", "CC0-1.0", "CDLA-Permissive-2.0", "CDLA-Sharing-1.0", "ODbL-1.0", "PostgreSQL"];

    /// <summary>True when <paramref name="licence"/> is one of them, in their spelling.</summary>
    public static bool IsKnown(string? licence) => licence is not null && Known.Contains(licence, StringComparer.Ordinal);

    /// <summary>The licence's page at SPDX, the form in which metadata documents name it.</summary>
    public static string UrlOf(string licence) => $"https://spdx.org/licenses/{licence}.html";
}
