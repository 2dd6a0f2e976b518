namespace Lumora.Domain.Ledger;

/// <summary>Names an account inside a shard.</summary>
/// <param name="Code">See <see cref="ChartOfAccounts"/>.</param>
/// <param name="Asset">The asset it counts.</param>
public readonly record struct AccountKey(string Code, string Asset);
