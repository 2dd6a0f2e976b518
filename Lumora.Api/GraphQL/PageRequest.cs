using System.Buffers.Text;
using System.Text;
using GraphQL;

namespace Lumora.Api.GraphQL;

/// <summary>
/// Which page of a list a client asks for. A resolver takes it as a parameter; the schema then shows the four
/// arguments <c>first</c>, <c>after</c>, <c>last</c> and <c>before</c>.
/// </summary>
/// <param name="Limit">Rows wanted, 1 to <see cref="RowsMax"/>; read one row more (<see cref="Take"/>).</param>
/// <param name="After">Rows after this key only; null: from the start.</param>
/// <param name="Before">Rows before this key only; null: up to the end.</param>
/// <param name="Backward">Take the last rows of the range instead of the first: read in reverse order.</param>
public sealed record PageRequest(int Limit, string? After, string? Before, bool Backward)
{
    /// <summary>Rows in a page when the client does not say.</summary>
    public const int RowsDefault = 50;

    /// <summary>Rows in a page at most.</summary>
    public const int RowsMax = 500;

    private const int CursorLengthMax = 512;

    /// <summary>How many rows to read: one more than wanted, which tells whether the list goes on.</summary>
    public int Take => Limit + 1;

    /// <summary>Makes the page of <paramref name="rows"/>.</summary>
    /// <param name="rows">
    /// At most <see cref="Take"/> rows between <see cref="After"/> and <see cref="Before"/> (both exclusive), in the list's
    /// order, or in reverse order when <see cref="Backward"/>.
    /// </param>
    /// <param name="key">The row's place in the order: unique and stable, for example a padded number or an id.</param>
    /// <param name="searchedTo">
    /// Where a search stopped for this time although the list may go on: the page is then short, and its last cursor is that
    /// place. Null: the list ends where the rows end.
    /// </param>
    public Connection<T> Page<T>(IReadOnlyList<T> rows, Func<T, string> key, string? searchedTo = null)
    {
        var more = rows.Count > Limit || searchedTo is not null;
        var kept = rows.Take(Limit).Select(row => new Edge<T>(row, EncodeCursor(key(row)))).ToList();
        if (Backward)
            kept.Reverse();
        var info = new PageInfo(
            HasNextPage: Backward ? Before is not null : more,
            HasPreviousPage: Backward ? more : After is not null,
            Backward && searchedTo is not null ? EncodeCursor(searchedTo) : kept.Count == 0 ? null : kept[0].Cursor,
            !Backward && searchedTo is not null ? EncodeCursor(searchedTo) : kept.Count == 0 ? null : kept[^1].Cursor);
        return new Connection<T>(kept, info);
    }

    /// <summary>Makes the page of a whole list that is in memory anyway.</summary>
    /// <param name="all">Every row, ordered by <paramref name="key"/> (ordinal).</param>
    /// <param name="key">See <see cref="Page{T}"/>.</param>
    public Connection<T> PageOfAll<T>(IEnumerable<T> all, Func<T, string> key)
    {
        var range = all.Where(row =>
            (After is null || string.CompareOrdinal(key(row), After) > 0)
            && (Before is null || string.CompareOrdinal(key(row), Before) < 0));
        return Page([.. (Backward ? range.Reverse() : range).Take(Take)], key);
    }

    /// <summary>Reads the four arguments of a connection field.</summary>
    /// <exception cref="ExecutionError">
    /// <c>INVALID_PAGE</c>, <c>PAGE_TOO_LARGE</c> or <c>INVALID_CURSOR</c>.
    /// </exception>
    internal static PageRequest From(IResolveFieldContext context) => From(
        context.GetArgument<int?>("first"),
        context.GetArgument<string?>("after"),
        context.GetArgument<int?>("last"),
        context.GetArgument<string?>("before"));

    internal static PageRequest From(int? first, string? after, int? last, string? before)
    {
        if (first is not null && last is not null)
            throw Invalid(ErrorCodes.InvalidPage, "Ask for first or for last, not for both.");
        var limit = first ?? last ?? RowsDefault;
        if (limit < 1)
            throw Invalid(ErrorCodes.InvalidPage, "A page has at least 1 row.");
        if (limit > RowsMax)
            throw Invalid(ErrorCodes.PageTooLarge, $"A page has at most {RowsMax} rows; {limit} were asked for.");
        return new PageRequest(limit, DecodeCursor(after, "after"), DecodeCursor(before, "before"), last is not null);
    }

    private static string EncodeCursor(string key) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes("1:" + key));

    private static string? DecodeCursor(string? cursor, string argument)
    {
        if (cursor is null)
            return null;
        if (cursor.Length <= CursorLengthMax && Base64Url.IsValid(cursor))
        {
            var text = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(cursor));
            if (text.StartsWith("1:", StringComparison.Ordinal))
                return text[2..];
        }
        throw Invalid(ErrorCodes.InvalidCursor, $"The cursor in {argument} is not one that this server gave.");
    }

    private static ExecutionError Invalid(string code, string message) => new(message) { Code = code };
}
