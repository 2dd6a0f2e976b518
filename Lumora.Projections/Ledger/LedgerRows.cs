using Lumora.Domain.Ledger;
using Npgsql;

namespace Lumora.Projections.Ledger;

/// <summary>Reads the ledger's rows, in the column order that its queries share.</summary>
internal static class LedgerRows
{
    public const string AccountColumns = "number, code, asset, balance, held, floor, status, version";

    public const string OutcomeColumns =
        "id, digest, journal_version, at, code, field, kind, reference_type, reference_id";

    /// <summary>Of <c>ledger_hold h join ledger_account a on a.number = h.account</c>.</summary>
    public const string HoldColumns =
        "h.number, h.maker, a.code, a.asset, h.kind, h.reference_type, h.reference_id, h.amount, h.left_over, h.captured, "
        + "h.deadline, h.status, h.version";

    public static LedgerAccount Account(NpgsqlDataReader row) => new(
        row.GetInt64(0), new AccountKey(row.GetString(1), row.GetString(2)), row.GetInt64(3), row.GetInt64(4),
        row.IsDBNull(5) ? null : row.GetInt64(5), (AccountStatus)row.GetInt16(6), row.GetInt64(7));

    public static RecordedOutcome Outcome(NpgsqlDataReader row) => new(
        row.GetGuid(0), RequestDigest.FromBytes(row.GetFieldValue<byte[]>(1)), row.GetInt64(2),
        row.GetFieldValue<DateTimeOffset>(3), Text(row, 4), Text(row, 5),
        Text(row, 6) is { } kind ? new TransactionLabel(kind, Reference(row, 7)) : null);

    public static LedgerHold Hold(NpgsqlDataReader row) => new(
        row.GetInt64(0), row.GetString(1), new AccountKey(row.GetString(2), row.GetString(3)), row.GetString(4),
        Reference(row, 5), row.GetInt64(7), row.GetInt64(8), row.GetInt64(9), row.GetFieldValue<DateTimeOffset>(10),
        (HoldStatus)row.GetInt16(11), row.GetInt64(12));

    public static LedgerEntry Entry(NpgsqlDataReader row) => new(
        row.GetInt64(0), row.GetInt64(1), row.GetInt16(2), row.GetInt64(3), row.GetInt64(4));

    private static TransactionReference? Reference(NpgsqlDataReader row, int ordinal) =>
        Text(row, ordinal) is { } type ? new TransactionReference(type, row.GetString(ordinal + 1)) : null;

    private static string? Text(NpgsqlDataReader row, int ordinal) => row.IsDBNull(ordinal) ? null : row.GetString(ordinal);
}
