using System.Text.Json;
using Lumora.Domain.Governance;
using Lumora.Domain.Kernel;
using Lumora.Projections.EventStore;
using Npgsql;

namespace Lumora.Projections.Governance;

/// <summary>A part of the list of approvals, which starts with those that can be approved longest: the newest.</summary>
/// <param name="Count">At most so many, up to <see cref="ApprovalQueries.PageMax"/>.</param>
/// <param name="After">Only after this place (<see cref="Approval.Place"/>); null = from the newest.</param>
/// <param name="Before">Only before this place; null = to the oldest.</param>
/// <param name="OldestFirst">From the end of the range upwards.</param>
public sealed record ApprovalRange(int Count, string? After = null, string? Before = null, bool OldestFirst = false);

/// <summary>Reads of approvals.</summary>
public sealed class ApprovalQueries(ShardSessions sessions)
{
    /// <summary>Most rows in one answer.</summary>
    public const int PageMax = 1_000;

    private const ShardRole Role = ShardRole.Global;

    // Every place begins with a year, in four digits.
    private const string AboveAllPlaces = "9999-";
    private const string BelowAllPlaces = "";

    private static readonly string AllNewestFirstSql = Ordered("place", "desc");
    private static readonly string AllOldestFirstSql = Ordered("place", "asc");
    private static readonly string InStateNewestFirstSql = Ordered("placeInState", "desc");
    private static readonly string InStateOldestFirstSql = Ordered("placeInState", "asc");

    /// <summary>The approval, or null.</summary>
    public async Task<Approval?> FindAsync(string approvalId, CancellationToken ct)
    {
        await using var session = sessions.Query(Role);
        return await session.LoadAsync<Approval>(Approval.StreamOf(approvalId), ct);
    }

    /// <summary>Approvals in <paramref name="range"/>.</summary>
    /// <param name="state">Only those that stand so at <paramref name="now"/>; null = all.</param>
    /// <param name="range">Which part of the list.</param>
    /// <param name="now">What is pending and out of time at it is expired.</param>
    /// <param name="ct">Stops the wait.</param>
    public Task<IReadOnlyList<Approval>> ListAsync(
        ApprovalState? state, ApprovalRange range, DateTimeOffset now, CancellationToken ct) =>
        List(state, range, now).AllAsync(sessions.DataSource(Role), Read, ct);

    /// <summary>How many wait at <paramref name="now"/>; counted up to <paramref name="most"/>.</summary>
    public async Task<long> CountPendingAsync(int most, DateTimeOffset now, CancellationToken ct)
    {
        var pending = List(ApprovalState.Pending, new ApprovalRange(most), now);
        var count = pending with { Sql = $"select count(*) from ({pending.Sql}) p" };
        return (await count.AllAsync(sessions.DataSource(Role), row => row.GetInt64(0), ct))[0];
    }

    internal static SqlQuery List(ApprovalState? state, ApprovalRange range, DateTimeOffset now)
    {
        var (below, above) = (range.After ?? AboveAllPlaces, range.Before ?? BelowAllPlaces);
        var count = (long)Math.Clamp(range.Count, 1, PageMax);
        return state switch
        {
            null => new SqlQuery(range.OldestFirst ? AllOldestFirstSql : AllNewestFirstSql, below, above, count),
            ApprovalState.Pending => InState(ApprovalState.Pending, below, Later(above, now.ToWire())),
            ApprovalState.Expired => InState(ApprovalState.Pending, Earlier(below, now.ToWire()), above),
            { } one => InState(one, below, above),
        };

        SqlQuery InState(ApprovalState stored, string top, string bottom)
        {
            var name = Approval.NameOf(stored);
            return new SqlQuery(
                range.OldestFirst ? InStateOldestFirstSql : InStateNewestFirstSql, $"{name}/{top}", $"{name}/{bottom}", count);
        }
    }

    private static string Ordered(string place, string order) =>
        $"""
        select data from mt_doc_approval where data ->> '{place}' < $1 and data ->> '{place}' > $2
        order by data ->> '{place}' {order} limit $3
        """;

    private static string Later(string place, string other) => string.CompareOrdinal(place, other) > 0 ? place : other;

    private static string Earlier(string place, string other) => string.CompareOrdinal(place, other) < 0 ? place : other;

    private static Approval Read(NpgsqlDataReader row) =>
        JsonSerializer.Deserialize<Approval>(row.GetString(0), WireJson.Events)!;
}
