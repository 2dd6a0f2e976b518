using Lumora.Domain.Kernel;
using Marten;
using Npgsql;

namespace Lumora.Projections.EventStore;

/// <summary>What a shard is for. A shard is a database; by default one shard plays both roles.</summary>
public enum ShardRole
{
    /// <summary>Market, governance, treasury and participants.</summary>
    Global,

    /// <summary>Nodes, tasks, contributions and provider earnings.</summary>
    Region,
}

/// <summary>
/// The only door to the event store: a session is opened for a role, so that no transaction can write to two.
/// </summary>
public sealed class ShardSessions(IDocumentStore store, ShardMap shards)
{
    /// <summary>All shards of this installation.</summary>
    public IReadOnlyList<string> Shards => shards.Names;

    /// <summary>The shard that plays <paramref name="role"/>.</summary>
    public string ShardOf(ShardRole role) => shards.Of(role);

    /// <summary>
    /// A session whose events carry <paramref name="actor"/> and, where given, the id of what caused them.
    /// </summary>
    public IDocumentSession Open(ShardRole role, Actor actor, string? causation = null)
    {
        var session = store.LightweightSession(ShardOf(role));
        Stamp(session, actor, causation);
        return session;
    }

    /// <summary>
    /// A session over a transaction that the caller owns (the ledger writer's). The caller stamps every event itself:
    /// what a session carries would replace it, and there the actor differs from event to event.
    /// </summary>
    public IDocumentSession Open(ShardRole role, Marten.Services.SessionOptions options)
    {
        options.TenantId = ShardOf(role);
        return store.LightweightSession(options);
    }

    /// <summary>A session over a transaction that the caller owns, whose events carry <paramref name="actor"/>.</summary>
    public IDocumentSession Open(ShardRole role, Actor actor, Marten.Services.SessionOptions options)
    {
        var session = Open(role, options);
        Stamp(session, actor, causation: null);
        return session;
    }

    /// <summary>
    /// A session of <paramref name="actor"/> in a transaction that the caller owns and commits: for a decision that
    /// stands on rows or locks which the caller took first.
    /// </summary>
    public IDocumentSession Open(ShardRole role, Actor actor, NpgsqlTransaction transaction)
    {
        var options = Marten.Services.SessionOptions.ForTransaction(transaction);
        options.TenantId = ShardOf(role);
        var session = store.LightweightSession(options);
        Stamp(session, actor, causation: null);
        return session;
    }

    /// <summary>A read-only session.</summary>
    public IQuerySession Query(ShardRole role) => store.QuerySession(ShardOf(role));

    /// <summary>Plain connections to the database of <paramref name="role"/>, for set-wise SQL.</summary>
    public NpgsqlDataSource DataSource(ShardRole role) => shards.DataSource(ShardOf(role));

    /// <summary>Connections of the ledger's writer of <paramref name="role"/>.</summary>
    internal NpgsqlDataSource WriterSource(ShardRole role) => shards.WriterSource(ShardOf(role));

    /// <summary>Connections of the lease of <paramref name="role"/>'s journal.</summary>
    internal NpgsqlDataSource LeaseSource(ShardRole role) => shards.LeaseSource(ShardOf(role));

    /// <summary>Plain connections to the database of <paramref name="shard"/>.</summary>
    public NpgsqlDataSource DataSource(string shard) => shards.DataSource(shard);

    private static void Stamp(IDocumentSession session, Actor actor, string? causation)
    {
        session.LastModifiedBy = actor.Id;
        if (causation is not null)
            session.CausationId = causation;
    }
}
