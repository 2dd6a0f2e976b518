using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Tasks;

/// <summary>What a field of a record holds, and so how its JSON looks (<see cref="FieldValues"/>). Names are frozen.</summary>
[SuppressMessage("Naming", "CA1720", Justification = "The wire name is integer: the schema language's own word.")]
public enum FieldType
{
    /// <summary>Text with runs of white space as one space; JSON string.</summary>
    Text,

    /// <summary>A decimal number without exponent; JSON string, because a JSON number is a float to most readers.</summary>
    Number,

    /// <summary>A whole number of 64 bits; JSON string.</summary>
    Integer,

    /// <summary>JSON <c>true</c> or <c>false</c>.</summary>
    Boolean,

    /// <summary>An absolute http or https address; JSON string.</summary>
    Url,

    /// <summary>A calendar date <c>2026-01-31</c> or a UTC time in the wire form; JSON string.</summary>
    Date,

    /// <summary>The inner HTML of the element; JSON string.</summary>
    Html,
}

/// <summary>Where the value of one field is found.</summary>
/// <param name="Field">Name in the record: a letter, then letters, digits or <c>_</c>, at most 64; not <c>url</c> or <c>fetchedAt</c>.</param>
/// <param name="Selector">CSS selector, at most 512 characters; its first match counts. <c>:scope</c> or empty is the record's element itself.</param>
/// <param name="Attribute">Take this attribute; absent takes the element's text.</param>
/// <param name="Type">How the text is read.</param>
/// <param name="Required">A record without this field is dropped.</param>
public sealed record ExtractionRule(
    string Field,
    string Selector,
    string? Attribute = null,
    [property: JsonConverter(typeof(WireEnumConverter<FieldType>))] FieldType Type = FieldType.Text,
    bool Required = false);

/// <summary>
/// Decides whether a CSS selector compiles. The domain has no HTML parser, so whoever accepts a collection and
/// whoever runs a lease bring the same one: a selector that was accepted is never refused later.
/// </summary>
public interface ISelectorSyntax
{
    /// <summary>True when <paramref name="selector"/> is a valid CSS selector.</summary>
    bool IsValid(string selector);
}

/// <summary>The limits and rules of extraction rules.</summary>
public static class ExtractionRules
{
    /// <summary>Rules of one collection.</summary>
    public const int RulesMax = 64;

    /// <summary>Characters of a selector.</summary>
    public const int SelectorLengthMax = 512;

    /// <summary>Characters of a field's or an attribute's name.</summary>
    public const int NameLengthMax = 64;

    /// <summary>Fields that every record has, in this order of meaning: the page asked for, and when.</summary>
    public static IReadOnlyList<string> ReservedFields { get; } = ["url", "fetchedAt"];

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

    /// <summary>Null when the rules hold; else the first fault: <c>bad_rules</c>, <c>bad_field</c>, <c>bad_selector</c> or <c>bad_attribute</c>.</summary>
    public static Rejection? Check(
        IReadOnlyList<ExtractionRule> rules, string? recordSelector, ISelectorSyntax syntax)
    {
        if (rules.Count is 0 or > RulesMax)
            return new Rejection("bad_rules", $"A collection has 1 to {RulesMax} extraction rules.", "rules");
        if (recordSelector is not null && CheckSelector(recordSelector, syntax, "recordSelector") is { } fault)
            return fault;

        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var index = 0; index < rules.Count; index++)
        {
            if (CheckRule(rules[index], $"rules[{index}]", syntax) is { } rejection)
                return rejection;
            if (!seen.Add(rules[index].Field))
                return new Rejection("bad_field", $"Two rules fill the field '{rules[index].Field}'.", $"rules[{index}].field");
        }

        return null;
    }

    /// <summary>True for a selector that means the record's own element.</summary>
    public static bool IsScope(string selector) => selector.Length == 0 || selector == ":scope";

    private static Rejection? CheckRule(ExtractionRule rule, string path, ISelectorSyntax syntax)
    {
        if (!IsFieldName(rule.Field))
            return new Rejection(
                "bad_field", $"'{rule.Field}' is no field name: a letter, then letters, digits or _, at most {NameLengthMax}.", $"{path}.field");
        if (ReservedFields.Contains(rule.Field, StringComparer.Ordinal))
            return new Rejection("bad_field", $"'{rule.Field}' is filled by the node itself.", $"{path}.field");
        if (!Enum.IsDefined(rule.Type))
            return new Rejection("bad_field", "Unknown field type.", $"{path}.type");
        if (rule.Attribute is { } attribute && !IsAttributeName(attribute))
            return new Rejection("bad_attribute", $"'{attribute}' is no attribute name.", $"{path}.attribute");
        return IsScope(rule.Selector) ? null : CheckSelector(rule.Selector, syntax, $"{path}.selector");
    }

    private static Rejection? CheckSelector(string selector, ISelectorSyntax syntax, string path)
    {
        if (string.IsNullOrWhiteSpace(selector) || selector.Length > SelectorLengthMax)
            return new Rejection("bad_selector", $"A selector has 1 to {SelectorLengthMax} characters.", path);
        return syntax.IsValid(selector)
            ? null
            : new Rejection("bad_selector", $"'{selector}' is no valid CSS selector.", path);
    }

    private static bool IsFieldName(string name) =>
        name.Length is > 0 and <= NameLengthMax
        && char.IsAsciiLetter(name[0])
        && name.AsSpan().IndexOfAnyExcept(NameCharacters) < 0;

    private static bool IsAttributeName(string name) =>
        name.Length is > 0 and <= NameLengthMax
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or ':');
}
