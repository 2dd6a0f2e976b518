using Lumora.Domain.Kernel;

namespace Lumora.Domain.Deposits;

/// <summary>
/// LMR arrived in the treasury's token account with a participant's code, and was credited. Committed together with
/// the ledger's transaction. Stream <c>deposit/{signature}/{index}</c>.
/// </summary>
/// <param name="Signature">The Solana transaction.</param>
/// <param name="Index">Its instruction.</param>
/// <param name="ParticipantId">Who was credited.</param>
/// <param name="Amount">How much.</param>
/// <param name="Slot">Slot of the finalized block.</param>
/// <param name="CreditedAt">When.</param>
[EventContract("deposit_credited")]
public sealed record DepositCredited(
    string Signature, int Index, string ParticipantId, Amount Amount, long Slot, DateTimeOffset CreditedAt);

/// <summary>LMR arrived that nobody can be found for; a steward assigns or returns it. Nothing is credited.</summary>
/// <param name="Signature">The Solana transaction.</param>
/// <param name="Index">Its instruction.</param>
/// <param name="Amount">How much.</param>
/// <param name="Reason">Stable code: <c>no_code</c>, <c>unknown_code</c>, <c>ambiguous_memo</c>, or the ledger's refusal.</param>
/// <param name="Slot">Slot of the finalized block.</param>
/// <param name="SeenAt">When.</param>
[EventContract("deposit_unattributed")]
public sealed record DepositUnattributed(
    string Signature, int Index, Amount Amount, string Reason, long Slot, DateTimeOffset SeenAt);

/// <summary>A deposit: what <c>deposit/{signature}/{index}</c> folds to.</summary>
/// <param name="Id">Its stream.</param>
/// <param name="ParticipantId">Who was credited; null while unattributed.</param>
/// <param name="Amount">How much.</param>
public sealed record DepositState(string Id, string? ParticipantId, Amount Amount)
{
    /// <summary>The stream of a deposit.</summary>
    public static string StreamOf(string signature, int index) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"deposit/{signature}/{index}");

    /// <summary>Folds one event.</summary>
    public static DepositState? Evolve(DepositState? state, object @event) => @event switch
    {
        DepositCredited e => new DepositState(StreamOf(e.Signature, e.Index), e.ParticipantId, e.Amount),
        DepositUnattributed e => new DepositState(StreamOf(e.Signature, e.Index), null, e.Amount),
        _ => state,
    };
}
