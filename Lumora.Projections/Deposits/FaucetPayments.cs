using Lumora.Domain.Kernel;
using Lumora.Projections.EventStore;
using Npgsql;
using Weasel.Postgresql.Tables;

namespace Lumora.Projections.Deposits;

/// <summary>A transfer that the development faucet owes a participant; stored before it is sent.</summary>
/// <param name="ParticipantId">Who asked.</param>
/// <param name="Key">Their idempotency key.</param>
/// <param name="Amount">How much.</param>
/// <param name="Signature">The Solana transaction.</param>
/// <param name="Transaction">Its signed bytes: sending them again is no second payment.</param>
/// <param name="LastValidBlockHeight">From the block after this one on they can no longer land.</param>
/// <param name="IsSent">The chain has taken it: the outcome, for ever.</param>
public sealed record FaucetPayment(
    string ParticipantId, string Key, Amount Amount, string Signature, byte[] Transaction, long LastValidBlockHeight,
    bool IsSent);

/// <summary>The rows of the faucet. One per (participant, key), kept for ever.</summary>
public static class FaucetPayments
{
    private const string Columns =
        "participant_id, key, amount, signature, transaction, last_valid_block_height, is_sent";

    /// <summary>The payment of a key, or null.</summary>
    public static async Task<FaucetPayment?> FindAsync(
        ShardSessions sessions, string participantId, string key, CancellationToken ct)
    {
        await using var command = sessions.DataSource(ShardRole.Global).CreateCommand(
            $"select {Columns} from faucet_payment where participant_id = $1 and key = $2");
        Add(command.Parameters, participantId, key);
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct)
            ? new FaucetPayment(
                reader.GetString(0), reader.GetString(1), new Amount(reader.GetInt64(2)), reader.GetString(3),
                reader.GetFieldValue<byte[]>(4), reader.GetInt64(5), reader.GetBoolean(6))
            : null;
    }

    /// <summary>
    /// Stores <paramref name="fresh"/> unless its key has a payment already, which is answered then; null when the
    /// participant would get more than <paramref name="dailyMax"/> on that day (UTC).
    /// </summary>
    public static async Task<FaucetPayment?> ClaimAsync(
        ShardSessions sessions, FaucetPayment fresh, DateOnly day, Amount dailyMax, CancellationToken ct)
    {
        await using var connection = await sessions.DataSource(ShardRole.Global).OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        // One request of a participant at a time, or two would each see a day that is not full yet.
        await using var turn = new NpgsqlCommand(
            "select pg_advisory_xact_lock(hashtextextended('faucet/' || $1, 0))", connection);
        Add(turn.Parameters, fresh.ParticipantId);
        await turn.ExecuteNonQueryAsync(ct);
        await using var insert = new NpgsqlCommand(
            $"insert into faucet_payment ({Columns}, day) select $1, $2, $3, $4, $5, $6, false, $7 "
            + "where $3 + (select coalesce(sum(amount), 0) from faucet_payment where participant_id = $1 and day = $7) <= $8 "
            + "on conflict (participant_id, key) do nothing",
            connection);
        Add(
            insert.Parameters, fresh.ParticipantId, fresh.Key, fresh.Amount.Units, fresh.Signature, fresh.Transaction,
            fresh.LastValidBlockHeight, day, dailyMax.Units);
        await insert.ExecuteNonQueryAsync(ct);
        await transaction.CommitAsync(ct);
        return await FindAsync(sessions, fresh.ParticipantId, fresh.Key, ct);
    }

    /// <summary>
    /// Puts a newly signed transaction in the place of one that can no longer land; answers what stands there then.
    /// </summary>
    public static async Task<FaucetPayment> ReplaceAsync(
        ShardSessions sessions, FaucetPayment lost, FaucetPayment again, CancellationToken ct)
    {
        await using var command = sessions.DataSource(ShardRole.Global).CreateCommand(
            "update faucet_payment set signature = $4, transaction = $5, last_valid_block_height = $6 "
            + "where participant_id = $1 and key = $2 and signature = $3 and not is_sent");
        Add(
            command.Parameters, lost.ParticipantId, lost.Key, lost.Signature, again.Signature, again.Transaction,
            again.LastValidBlockHeight);
        await command.ExecuteNonQueryAsync(ct);
        return (await FindAsync(sessions, lost.ParticipantId, lost.Key, ct))!;
    }

    /// <summary>Notes that the chain has taken a payment.</summary>
    public static async Task SentAsync(ShardSessions sessions, FaucetPayment payment, CancellationToken ct)
    {
        await using var command = sessions.DataSource(ShardRole.Global).CreateCommand(
            "update faucet_payment set is_sent = true where participant_id = $1 and key = $2 and signature = $3");
        Add(command.Parameters, payment.ParticipantId, payment.Key, payment.Signature);
        await command.ExecuteNonQueryAsync(ct);
    }

    internal static Table Table()
    {
        var table = new Table("faucet_payment");
        table.AddColumn("participant_id", "text").AsPrimaryKey();
        table.AddColumn("key", "text").AsPrimaryKey();
        table.AddColumn("day", "date").NotNull();
        table.AddColumn("amount", "bigint").NotNull();
        table.AddColumn("signature", "text").NotNull();
        table.AddColumn("transaction", "bytea").NotNull();
        table.AddColumn("last_valid_block_height", "bigint").NotNull();
        table.AddColumn("is_sent", "boolean").NotNull();
        return table;
    }

    private static void Add(NpgsqlParameterCollection parameters, params ReadOnlySpan<object> values)
    {
        foreach (var value in values)
            parameters.Add(new NpgsqlParameter { Value = value });
    }
}
