using Lumora.Domain.Ledger;
using Npgsql;

namespace Lumora.Projections.Ledger;

/// <summary>Reads the ledger's rows, in the column order that its queries share.</summary>
internal static class LedgerRows
{
    public const string AccountColumns = "number, code, asset, balance, held, floor, status, version";

    public const string OutcomeColumns = "actor, key, digest, journal_version, at, code, field";

    public static LedgerAccount Account(NpgsqlDataReader row) => new(
        row.GetInt64(0), new AccountKey(row.GetString(1), row.GetString(2)), row.GetInt64(3), row.GetInt64(4),
        row.IsDBNull(5) ? null : row.GetInt64(5), (AccountStatus)row.GetInt16(6), row.GetInt64(7));

    public static RecordedOutcome Outcome(NpgsqlDataReader row) => new(
        row.GetString(0), row.GetString(1), RequestDigest.FromBytes(row.GetFieldValue<byte[]>(2)), row.GetInt64(3),
        row.GetFieldValue<DateTimeOffset>(4), row.IsDBNull(5) ? null : row.GetString(5),
        row.IsDBNull(6) ? null : row.GetString(6));

    public static LedgerEntry Entry(NpgsqlDataReader row) => new(
        row.GetInt64(0), row.GetInt64(1), row.GetInt16(2), row.GetInt64(3), row.GetInt64(4));
}
