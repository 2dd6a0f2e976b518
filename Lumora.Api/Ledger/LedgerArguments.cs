using System.Globalization;
using GraphQL;
using Lumora.Domain.Ledger;
using Lumora.Projections.Ledger;

namespace Lumora.Api.GraphQL;

/// <summary>Arguments that several fields of the ledger take; each is checked once, with one code.</summary>
internal static class LedgerArguments
{
    private const int AssetLengthMax = 12;

    /// <summary><paramref name="asset"/>, LMR where none is given.</summary>
    /// <exception cref="ExecutionError"><c>INVALID_ARGUMENT</c>: not 1 to 12 capital letters and digits.</exception>
    public static string Asset(string? asset) =>
        asset is null ? ChartOfAccounts.Lmr
        : IsAsset(asset) ? asset
        : throw Refuse(ErrorCodes.InvalidArgument, "asset: an asset is 1 to 12 capital letters and digits, for example LMR.");

    /// <summary>True for 1 to 12 capital letters and digits.</summary>
    public static bool IsAsset(string asset) =>
        asset.Length is > 0 and <= AssetLengthMax && asset.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c));

    /// <summary>Checks the ends of a period.</summary>
    /// <exception cref="ExecutionError"><c>INVALID_RANGE</c>: it ends before it starts.</exception>
    public static void CheckPeriod(DateTimeOffset? from, DateTimeOffset? to)
    {
        if (from > to)
            throw Refuse(ErrorCodes.InvalidRange, "A period starts (from) before it ends (to).");
    }

    /// <summary><paramref name="prefix"/>, whole segments of a code without a slash at the end.</summary>
    /// <exception cref="ExecutionError"><c>INVALID_ARGUMENT</c>: no code can begin so.</exception>
    public static string Prefix(string prefix) =>
        ChartOfAccounts.IsPrefix(prefix)
            ? prefix
            : throw Refuse(
                ErrorCodes.InvalidArgument,
                "prefix: whole segments of a code without a slash at the end, for example participant or network.");

    /// <summary>The part of the journal that <paramref name="page"/> asks for, of a list that starts with the newest.</summary>
    /// <exception cref="ExecutionError"><c>INVALID_CURSOR</c>.</exception>
    public static JournalRange NewestFirst(PageRequest page) => new(
        // "After" a row are the lower versions.
        page.Take, Version(page.Before, "before") ?? 0, Version(page.After, "after") ?? long.MaxValue, page.Backward);

    /// <summary>The key of a row in such a list.</summary>
    public static string Key(long journalVersion) => journalVersion.ToString(CultureInfo.InvariantCulture);

    /// <summary>An error of the request.</summary>
    public static ExecutionError Refuse(string code, string message) => new(message) { Code = code };

    private static long? Version(string? key, string argument)
    {
        if (key is null)
            return null;
        return long.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? version
            : throw Refuse(ErrorCodes.InvalidCursor, $"The cursor in {argument} is not one of this list.");
    }
}

/// <summary>Amounts that may be negative, for people; <see cref="Domain.Kernel.Amount"/> never is.</summary>
internal static class SignedUnits
{
    /// <summary>For example "-1.5 LMR".</summary>
    public static string Format(Int128 units, string asset) => $"{Decimals(units)} {asset}";

    /// <summary>For example "-1.5".</summary>
    public static string Decimals(Int128 units)
    {
        var (whole, fraction) = Int128.DivRem(Int128.Abs(units), Domain.Kernel.Amount.UnitsPerLmr);
        var decimals = ((long)fraction).ToString("D9", CultureInfo.InvariantCulture).TrimEnd('0');
        var text = whole.ToString(CultureInfo.InvariantCulture) + (decimals.Length == 0 ? "" : "." + decimals);
        return Int128.IsNegative(units) ? "-" + text : text;
    }

    /// <summary>Base units in decimal.</summary>
    public static string Text(Int128 units) => units.ToString(CultureInfo.InvariantCulture);
}
