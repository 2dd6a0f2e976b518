using Npgsql;

namespace Lumora.Projections.EventStore;

/// <summary>Which databases there are and which of them plays which role.</summary>
public sealed class ShardMap : IAsyncDisposable
{
    /// <summary>The shard of a plain installation.</summary>
    public const string DefaultShard = "main";

    // The writer's statements run prepared, batch after batch, with plans that fit tables of any size: a plan made while a
    // table was small and scanned must not stay when it has grown. Between batches nothing is left to reset.
    // A transaction whose host is gone, or hangs, is in the next writer's way: the writer itself never pauses for long inside one.
    private const string WriterSettings =
        "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off "
        + "-c idle_in_transaction_session_timeout=5000 -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3";

    private readonly Dictionary<string, NpgsqlDataSource> _sources;
    private readonly Dictionary<string, NpgsqlDataSource> _writerSources;
    private readonly Dictionary<string, NpgsqlDataSource> _leaseSources;
    private readonly Dictionary<string, NpgsqlDataSource> _logSources;
    private readonly Dictionary<ShardRole, string> _roles;

    /// <summary>One shard, <see cref="DefaultShard"/>, in the database of <paramref name="connectionString"/>.</summary>
    public ShardMap(string connectionString)
        : this(
            new Dictionary<string, string>(StringComparer.Ordinal) { [DefaultShard] = connectionString },
            new Dictionary<ShardRole, string>
            {
                [ShardRole.Global] = DefaultShard,
                [ShardRole.Region] = DefaultShard,
            })
    {
    }

    /// <summary>The shards by name with their connection strings, and the shard of each role.</summary>
    public ShardMap(IReadOnlyDictionary<string, string> connections, IReadOnlyDictionary<ShardRole, string> roles)
    {
        ConnectionStrings = connections;
        _roles = new Dictionary<ShardRole, string>(roles);
        foreach (var role in Enum.GetValues<ShardRole>())
        {
            if (!_roles.TryGetValue(role, out var shard) || !connections.ContainsKey(shard))
                throw new ArgumentException($"No shard plays the role {role}.", nameof(roles));
        }

        _sources = Sources("", connection => connection);
        _writerSources = Sources("/writer", ForWriter);
        _leaseSources = Sources("/lease", ForLease);
        _logSources = Sources("/log", ForLog);

        Dictionary<string, NpgsqlDataSource> Sources(string use, Func<string, string> settings) => connections.ToDictionary(
            pair => pair.Key,
            pair => new NpgsqlDataSourceBuilder(settings(pair.Value)) { Name = $"lumora/{pair.Key}{use}" }.Build(),
            StringComparer.Ordinal);
    }

    /// <summary>Shard names in their order.</summary>
    public IReadOnlyList<string> Names => [.. ConnectionStrings.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Connection strings by shard.</summary>
    public IReadOnlyDictionary<string, string> ConnectionStrings { get; }

    /// <summary>The shard that plays <paramref name="role"/>.</summary>
    public string Of(ShardRole role) => _roles[role];

    /// <summary>The pooled connections of <paramref name="shard"/>.</summary>
    public NpgsqlDataSource DataSource(string shard) => _sources[shard];

    /// <summary>Connections of <paramref name="shard"/> for its journal's writer and nobody else.</summary>
    public NpgsqlDataSource WriterSource(string shard) => _writerSources[shard];

    /// <summary>
    /// Connections of <paramref name="shard"/> for the lease of its journal: whoever waits for one behind all other queries loses it.
    /// </summary>
    public NpgsqlDataSource LeaseSource(string shard) => _leaseSources[shard];

    /// <summary>
    /// Connections of <paramref name="shard"/> that read its log, with a few statements that come again and again: the server keeps
    /// their plans. Nothing that changes a session may run on them.
    /// </summary>
    public NpgsqlDataSource LogSource(string shard) => _logSources[shard];

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var source in _sources.Values.Concat(_writerSources.Values).Concat(_leaseSources.Values).Concat(_logSources.Values))
            await source.DisposeAsync();
    }

    private static string ForLog(string connection) => new NpgsqlConnectionStringBuilder(connection)
    {
        NoResetOnClose = true,
        MaxAutoPrepare = 20,
        AutoPrepareMinUsages = 2,
        MaxPoolSize = 8,
        MinPoolSize = 0,
        // As for the writer: no plan of a small table may stay.
        Options = $"{new NpgsqlConnectionStringBuilder(connection).Options} -c enable_seqscan=off".TrimStart(),
    }.ConnectionString;

    // One in use, one whose end is not certain yet.
    private static string ForLease(string connection) =>
        new NpgsqlConnectionStringBuilder(connection) { MaxPoolSize = 2, MinPoolSize = 0 }.ConnectionString;

    private static string ForWriter(string connection)
    {
        var settings = new NpgsqlConnectionStringBuilder(connection) { NoResetOnClose = true, MaxPoolSize = 4, MinPoolSize = 0 };
        settings.Options = string.IsNullOrEmpty(settings.Options) ? WriterSettings : $"{settings.Options} {WriterSettings}";
        return settings.ConnectionString;
    }
}
