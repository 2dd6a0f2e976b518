using Lumora.Domain.Ledger;

namespace Lumora.Domain.Governance;

/// <summary>Between the acts of power and the ledger's commands that do them.</summary>
public static class GovernedActions
{
    /// <summary>The act that <paramref name="command"/> is.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is none.</exception>
    public static GovernedAction Of(LedgerCommand command) => command switch
    {
        PostTransaction c when SuspensePayout.Read(c) is var (account, posting, reason) => new(
            GovernedActionKind.PayOutSuspense, reason, account, posting.Asset, To: posting.To, Amount: posting.Amount),
        FreezeAccount c => new(GovernedActionKind.FreezeAccount, c.Reason, c.Code, c.Asset),
        UnfreezeAccount c => new(GovernedActionKind.UnfreezeAccount, c.Reason, c.Code, c.Asset),
        CloseAccount c => new(GovernedActionKind.CloseAccount, c.Reason, c.Code, c.Asset),
        ChangeFloor c => new(GovernedActionKind.ChangeFloor, c.Reason, c.Code, c.Asset, c.Floor),
        ReverseTransaction c => new(
            GovernedActionKind.ReverseTransaction, c.Reason, Transaction: c.Transaction, Parts: c.Parts),
        _ => throw new ArgumentOutOfRangeException(nameof(command), command.GetType().Name, "no act of power"),
    };

    /// <summary>The command that does this act.</summary>
    public static LedgerCommand ToCommand(this GovernedAction action) => action.Kind switch
    {
        GovernedActionKind.FreezeAccount => new FreezeAccount(action.Account!, action.Asset!, action.Reason),
        GovernedActionKind.UnfreezeAccount => new UnfreezeAccount(action.Account!, action.Asset!, action.Reason),
        GovernedActionKind.CloseAccount => new CloseAccount(action.Account!, action.Asset!, action.Reason),
        GovernedActionKind.ChangeFloor => new ChangeFloor(action.Account!, action.Asset!, action.Floor, action.Reason),
        GovernedActionKind.ReverseTransaction => new ReverseTransaction(
            action.Transaction!.Value, action.Reason, action.Parts),
        GovernedActionKind.PayOutSuspense => SuspensePayout.Of(
            action.Account!, action.To!, action.Amount!.Value, action.Asset!, action.Reason),
        _ => throw new ArgumentOutOfRangeException(nameof(action), action.Kind, "unknown act"),
    };
}
