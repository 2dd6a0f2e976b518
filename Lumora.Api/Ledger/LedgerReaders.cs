using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;

namespace Lumora.Api.GraphQL;

/// <summary>Who may see what of the ledger beyond what <see cref="ChartOfAccounts"/> says about codes.</summary>
internal static class LedgerReaders
{
    /// <summary>True for those who see all of the ledger.</summary>
    public static bool SeesAll(Actor reader) => reader.Has(Roles.Auditor | Roles.Steward);

    /// <summary>True when <paramref name="reader"/> may know that it was <paramref name="actor"/> who asked.</summary>
    public static bool MayReadActor(Actor reader, string actor) => SeesAll(reader) || actor == reader.Id;

    /// <summary>True when the account exists and <paramref name="reader"/> may see what moved on it.</summary>
    public static async Task<bool> SeesEntriesAsync(
        LedgerQueries ledger, Actor reader, string code, string asset, CancellationToken ct) =>
        ChartOfAccounts.RuleOf(code) is not null
        && ChartOfAccounts.MayReadEntries(reader, code)
        && await ledger.AccountAsync(ShardRole.Global, code, asset, ct) is not null;

    /// <summary>True when <paramref name="code"/> is an account of <paramref name="reader"/>'s own.</summary>
    public static bool Owns(Actor reader, string code) =>
        code.StartsWith($"{OwnPrefix(reader)}/", StringComparison.Ordinal);

    /// <summary>What the codes of <paramref name="reader"/>'s own accounts begin with.</summary>
    public static string OwnPrefix(Actor reader) => $"participant/{reader.Id}";
}
