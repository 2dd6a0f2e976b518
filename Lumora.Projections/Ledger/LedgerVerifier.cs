using Lumora.Projections.EventStore;

namespace Lumora.Projections.Ledger;

/// <summary>
/// Derives every table of a ledger from its journal again, by the same fold that made them, compares them in one snapshot
/// and asks for the invariants; see <see cref="LedgerInspection"/>, which streams what it finds.
/// </summary>
public sealed class LedgerVerifier(ShardSessions sessions)
{
    /// <summary>Findings kept; the verification ends with the last of them.</summary>
    public const int FindingsMax = 100;

    /// <summary>Verifies the ledger of the shard that plays <paramref name="role"/>.</summary>
    public async Task<LedgerVerification> VerifyAsync(ShardRole role, CancellationToken ct)
    {
        var options = new LedgerInspectionOptions { FindingsMax = FindingsMax, Peers = PeersOf(sessions) };
        var findings = new List<LedgerFinding>();
        var inspection = new LedgerInspection(sessions.DataSource(role), sessions.ShardOf(role), options);
        var events = await inspection.RunAsync(findings.Add, progress: null, ct);
        return new LedgerVerification(events, findings);
    }

    /// <summary>The databases of all shards of this installation.</summary>
    public static IReadOnlyDictionary<string, Npgsql.NpgsqlDataSource> PeersOf(ShardSessions sessions) =>
        sessions.Shards.ToDictionary(shard => shard, sessions.DataSource, StringComparer.Ordinal);
}
