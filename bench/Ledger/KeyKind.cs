namespace Lumora.Bench.Ledger;

/// <summary>
/// What callers use as idempotency keys. Random ones touch all of an index and cost a full-page image for most of its
/// pages after each checkpoint; ordered ones touch its right edge only.
/// </summary>
internal enum KeyKind
{
    /// <summary>UUID version 4.</summary>
    Random,

    /// <summary>UUID version 7.</summary>
    Ordered,
}

/// <summary>Makes keys.</summary>
internal static class KeyKinds
{
    /// <summary>A fresh key.</summary>
    public static Guid Next(this KeyKind kind) => kind == KeyKind.Random ? Guid.NewGuid() : Guid.CreateVersion7();
}
