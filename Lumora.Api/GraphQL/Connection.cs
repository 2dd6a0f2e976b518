namespace Lumora.Api.GraphQL;

/// <summary>One page of a list (Relay cursor connections).</summary>
/// <typeparam name="T">The type of the rows.</typeparam>
/// <param name="Edges">The rows of this page with their cursors, in the list's order.</param>
/// <param name="PageInfo">Where this page stands in the list.</param>
public sealed record Connection<T>(IReadOnlyList<Edge<T>> Edges, PageInfo PageInfo)
{
    /// <summary>The rows of this page without their cursors.</summary>
    public IEnumerable<T> Nodes => Edges.Select(edge => edge.Node);
}

/// <summary>One row of a list with its place.</summary>
/// <typeparam name="T">The type of the row.</typeparam>
/// <param name="Node">The row.</param>
/// <param name="Cursor">The row's place: pass it as <c>after</c> or <c>before</c>. Its content may change.</param>
public sealed record Edge<T>(T Node, string Cursor);

/// <summary>Where a page stands in its list.</summary>
/// <param name="HasNextPage">There are rows after this page.</param>
/// <param name="HasPreviousPage">There are rows before this page.</param>
/// <param name="StartCursor">The cursor of the first row; null on an empty page.</param>
/// <param name="EndCursor">The cursor of the last row; null on an empty page.</param>
public sealed record PageInfo(bool HasNextPage, bool HasPreviousPage, string? StartCursor, string? EndCursor);
