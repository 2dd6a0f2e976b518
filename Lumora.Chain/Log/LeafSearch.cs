namespace Lumora.Chain.Log;

/// <summary>Which leaves of a log are wanted.</summary>
/// <param name="After">Leaves with greater indexes only; -1: from the first on.</param>
/// <param name="Before">Leaves with smaller indexes only.</param>
/// <param name="Backward">The last leaves of the range, newest first.</param>
/// <param name="Limit">Leaves at most.</param>
/// <param name="Stream">Only this stream's; null: all.</param>
/// <param name="Type">Only events of this contract; null: all.</param>
public sealed record LeafSearch(long After, long Before, bool Backward, int Limit, string? Stream = null, string? Type = null);
