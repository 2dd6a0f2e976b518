using System.Text.Json;
using Lumora.Domain.Ledger;
using Npgsql;

namespace Lumora.Projections.Ledger;

/// <summary>Stands where an event could not be read.</summary>
internal sealed record UnreadableEvent(string Why);

/// <summary>A run of journal events, as stored, and what their fold needs to know of the time before them.</summary>
internal sealed class JournalChunk
{
    private const string EventsSql =
        """
        select version, user_name, timestamp, type, data from public.mt_events
        where stream_id = $1 and version > $2 and version <= $3 order by version
        """;

    private readonly HashSet<AccountKey> _accounts = [];
    private readonly HashSet<long> _holds = [];
    private readonly HashSet<long> _movements = [];

    /// <summary>In the order of their versions, which may have holes and doubles.</summary>
    public List<JournalEvent> Events { get; } = [];

    public IReadOnlyCollection<AccountKey> Accounts => _accounts;

    public IReadOnlyCollection<long> Holds => _holds;

    /// <summary>Transactions that this chunk reverses.</summary>
    public IReadOnlyCollection<long> Movements => _movements;

    /// <summary>Reads the events above <paramref name="above"/> up to <paramref name="to"/>.</summary>
    public static async Task<JournalChunk> ReadAsync(
        NpgsqlConnection connection, string shard, long above, long to, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(EventsSql, connection) { CommandTimeout = LedgerShadow.SecondsMax };
        command.Parameters.Add(LedgerParameters.Text(LedgerJournal.StreamId(shard)));
        command.Parameters.Add(LedgerParameters.Long(above));
        command.Parameters.Add(LedgerParameters.Long(to));
        var chunk = new JournalChunk();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            chunk.Add(reader);
        return chunk;
    }

    private void Add(NpgsqlDataReader row)
    {
        object data;
        try
        {
            data = JournalJson.Read(row.GetString(3), row.GetString(4))
                ?? new UnreadableEvent($"{row.GetString(3)} is no event of the ledger");
            AddNeeds(data);
        }
        // A list that is missing in the JSON is null, whatever its type says.
        catch (Exception e) when (e is JsonException or FormatException or ArgumentException or NullReferenceException)
        {
            data = new UnreadableEvent(e.Message);
        }

        Events.Add(new JournalEvent(
            row.GetInt64(0), row.IsDBNull(1) ? "" : row.GetString(1), row.GetFieldValue<DateTimeOffset>(2), data));
    }

    private void AddNeeds(object data)
    {
        switch (data)
        {
            case TransactionPosted e:
                AddPostings(e.Postings, e.ToSuspense, e.Opened);
                break;
            case TransactionReversed e:
                AddPostings(e.Postings, e.ToSuspense, e.Opened);
                _movements.Add(e.Transaction);
                break;
            case HoldCaptured e:
                AddPostings(LedgerMovement.PostingsOf(e), null, e.Opened);
                AddHold(e.Hold, e.Code, e.Asset);
                break;
            case HoldReleased e:
                AddHold(e.Hold, e.Code, e.Asset);
                break;
            case HoldExpired e:
                AddHold(e.Hold, e.Code, e.Asset);
                break;
            case FundsHeld e:
                _accounts.Add(new AccountKey(e.Code, e.Asset));
                break;
            case AccountOpened e:
                _accounts.Add(new AccountKey(e.Code, e.Asset));
                break;
            case AccountFrozen e:
                _accounts.Add(new AccountKey(e.Code, e.Asset));
                break;
            case AccountUnfrozen e:
                _accounts.Add(new AccountKey(e.Code, e.Asset));
                break;
            case AccountClosed e:
                _accounts.Add(new AccountKey(e.Code, e.Asset));
                break;
            case FloorChanged e:
                _accounts.Add(new AccountKey(e.Code, e.Asset));
                break;
            default:
                break;
        }
    }

    private void AddHold(long number, string code, string asset)
    {
        _holds.Add(number);
        _accounts.Add(new AccountKey(code, asset));
    }

    private void AddPostings(
        IReadOnlyList<Posting> postings, IReadOnlyList<int>? toSuspense, IReadOnlyList<AccountKey>? opened)
    {
        foreach (var posting in LedgerMovement.Resolve(postings, toSuspense))
        {
            _accounts.Add(new AccountKey(posting.From, posting.Asset));
            _accounts.Add(new AccountKey(posting.To, posting.Asset));
        }

        _accounts.UnionWith(opened ?? []);
    }
}
