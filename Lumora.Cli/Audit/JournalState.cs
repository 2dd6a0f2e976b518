using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;

namespace Lumora.Cli.Audit;

/// <summary>
/// Writes down what a replay of a journal has come to: accounts, holds, who was answered, and what of which transaction could
/// still go back.
/// </summary>
internal static class JournalState
{
    /// <summary>What was asked is for conflicts between requests, of which a replay has none.</summary>
    public static readonly RequestDigest NoDigest = RequestDigest.FromBytes([]);

    /// <summary>Writes <paramref name="state"/>.</summary>
    public static void Save(BinaryWriter output, LedgerState state)
    {
        output.Write(state.Version);
        output.Write(state.AccountCount);
        output.Write(state.At.UtcTicks);
        output.WriteList(state.Accounts, account =>
        {
            output.Write7BitEncodedInt64(account.Number);
            output.Write(account.Key.Code);
            output.Write(account.Key.Asset);
            output.Write(account.Balance);
            output.Write(account.Held);
            output.Write(account.Floor is not null);
            output.Write(account.Floor ?? 0);
            output.Write((byte)account.Status);
            output.Write(account.Version);
        });
        output.WriteList(state.Holds, output.WriteJson);
        output.WriteList(state.Outcomes, outcome =>
        {
            output.WriteGuid(outcome.Id);
            output.Write7BitEncodedInt64(outcome.JournalVersion);
        });
        output.WriteList(state.Movements, movement => Save(output, state, movement));
    }

    /// <summary>Reads it back.</summary>
    public static LedgerState Load(BinaryReader input)
    {
        var state = new LedgerState(
            input.ReadInt64(), input.ReadInt64(), new DateTimeOffset(input.ReadInt64(), TimeSpan.Zero), keepMovements: true);
        var keys = new Dictionary<long, AccountKey>();
        foreach (var account in input.ReadList(() => Account(input)))
        {
            keys[account.Number] = account.Key;
            state.Load(account);
        }

        foreach (var hold in input.ReadList(input.ReadJson<LedgerHold>))
            state.Load(hold);
        foreach (var (id, version) in input.ReadList(() => (input.ReadGuid(), input.Read7BitEncodedInt64())))
            state.Load(new RecordedOutcome(id, NoDigest, version, default, Code: null, Field: null, Label: null));
        foreach (var movement in input.ReadList(() => Movement(input, keys)))
            state.Load(movement);
        return state;
    }

    private static LedgerAccount Account(BinaryReader input)
    {
        var number = input.Read7BitEncodedInt64();
        var key = new AccountKey(input.ReadString(), input.ReadString());
        var (balance, held) = (input.ReadInt64(), input.ReadInt64());
        var (hasFloor, floor) = (input.ReadBoolean(), input.ReadInt64());
        return new LedgerAccount(
            number, key, balance, held, hasFloor ? floor : null, (AccountStatus)input.ReadByte(), input.ReadInt64());
    }

    // Accounts are named by their numbers: there are as many transactions as there is history.
    private static void Save(BinaryWriter output, LedgerState state, LedgerMovement movement)
    {
        output.Write7BitEncodedInt64(movement.Version);
        output.Write(movement.Reference is not null);
        if (movement.Reference is { } reference)
        {
            output.Write(reference.Type);
            output.Write(reference.Id);
        }

        output.WriteList([.. movement.Postings.Zip(movement.Reversed)], line =>
        {
            output.Write7BitEncodedInt64(Number(line.First.From));
            output.Write7BitEncodedInt64(Number(line.First.To));
            output.Write7BitEncodedInt64(line.First.Amount.Units);
            output.Write7BitEncodedInt64(line.Second);

            long Number(string code) => state.Account(new AccountKey(code, line.First.Asset))!.Number;
        });
    }

    private static LedgerMovement Movement(BinaryReader input, Dictionary<long, AccountKey> keys)
    {
        var version = input.Read7BitEncodedInt64();
        var reference = input.ReadBoolean() ? new TransactionReference(input.ReadString(), input.ReadString()) : null;
        var lines = input.ReadList(() => (
            From: keys[input.Read7BitEncodedInt64()], To: keys[input.Read7BitEncodedInt64()],
            Units: input.Read7BitEncodedInt64(), Back: input.Read7BitEncodedInt64()));
        if (lines.Exists(line => line.From.Asset != line.To.Asset))
            throw new InvalidDataException($"The transaction at {version} moves one asset to an account of another.");
        return new LedgerMovement(
            version, [.. lines.Select(line => new Posting(line.From.Code, line.To.Code, new Amount(line.Units), line.From.Asset))],
            reference, [.. lines.Select(line => line.Back)]);
    }
}
