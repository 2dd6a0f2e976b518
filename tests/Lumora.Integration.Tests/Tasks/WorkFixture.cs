using Lumora.Api.Nodes;
using Lumora.Api.Tasks;
using Lumora.Chain.Cryptography;
using Lumora.Domain.Kernel;
using Lumora.Domain.Nodes;
using Lumora.Domain.Tasks;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Lumora.Projections.Tasks;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Lumora.Integration.Tests.Tasks;

/// <summary>The real time, moved forward where a test needs a deadline to pass.</summary>
public sealed class ShiftedClock : TimeProvider
{
    private long _shift;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddTicks(Interlocked.Read(ref _shift));

    public void Advance(TimeSpan by) => Interlocked.Add(ref _shift, by.Ticks);
}

/// <summary>A running host with a steward, and nodes that speak the protocol over HTTP.</summary>
public sealed class WorkFixture(TestDatabases databases) : IAsyncLifetime
{
    public static readonly Actor Steward = new("participant_steward", Roles.Steward);
    public static readonly TestWallet StewardWallet = new();
    private readonly List<TestNode> _nodes = [];
    private LumoraApp? _app;

    public ShiftedClock Clock { get; } = new();

    public LumoraApp App => _app!;

    public ShardSessions Sessions => App.Get<ShardSessions>();

    public async ValueTask InitializeAsync()
    {
        _app = Make(await databases.CreateAsync());
        await _app.StartAsync();
    }

    /// <summary>A host on this database, not started.</summary>
    public LumoraApp Make(string connection, string? home = null) => new(
        connection,
        home,
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Lumora:Tasks:AllowLoopback"] = "true",
            ["Lumora:Tasks:SweepMs"] = "50",
            ["Lumora:Rewards:AllowEarlyClose"] = "true",
            ["Lumora:Stewards:0"] = StewardWallet.Address,
        },
        services => services.AddSingleton<TimeProvider>(Clock));

    /// <summary>A new registered node of a new provider.</summary>
    public async Task<TestNode> NodeAsync(string? owner = null)
    {
        var node = new TestNode(App.Address, Clock);
        _nodes.Add(node);
        var provider = new Actor(owner ?? TypeId.Format("participant", Guid.NewGuid()), Roles.Provider);
        var registered = await RegisterNodeHandler.HandleAsync(
            new RegisterNode(provider, node.Id, node.Proof(provider.Id), "eu", NodeAllowance.Default), Sessions,
            new Curve25519(), Clock, CancellationToken.None);
        Assert.Null(registered.Rejection);
        return node with { Owner = provider.Id };
    }

    /// <summary>A collection of a steward with <paramref name="pages"/> pages, one task each, cut and waiting.</summary>
    public async Task<CollectionView> CollectionAsync(int pages, int attemptsMax = 3)
    {
        var host = $"h{Guid.NewGuid():N}.example";
        var plan = new CollectionPlan(
            "Test pages", "A test.", "CC0-1.0", [host],
            [.. Enumerable.Range(0, pages).Select(i => $"https://{host}/{i}")], Sitemap: null,
            [new ExtractionRule("title", "h1", Required: true)], RecordSelector: null, Replication: 1, PagesMax: 1_000,
            PagesPerTask: 1, PageBytesMax: 100_000, RecordsPerPageMax: 10, attemptsMax, Redact: false);
        var proposed = await App.Get<ICollectionProposals>().ProposeAsync(
            new ProposeCollection(Steward, plan), CancellationToken.None);
        Assert.Empty(proposed.Problems);
        return await CollectionInAsync(proposed.Collection!.CollectionId, CollectionPhase.Running);
    }

    /// <summary>The collection, once it is in <paramref name="phase"/>.</summary>
    public Task<CollectionView> CollectionInAsync(string collectionId, CollectionPhase phase) =>
        Patience.ForAsync(async () =>
        {
            await using var session = Sessions.Query(ShardRole.Region);
            var view = await session.LoadAsync<CollectionView>(CollectionState.StreamOf(collectionId));
            return view?.Phase == phase ? view : null;
        });

    /// <summary>The task's state, once it is in <paramref name="phase"/>.</summary>
    public Task<TaskState> TaskInAsync(string taskId, TaskPhase phase) => Patience.ForAsync(async () =>
    {
        var state = await TaskAsync(taskId);
        return state?.Phase == phase ? state : null;
    });

    public async Task<TaskState?> TaskAsync(string taskId)
    {
        await using var session = Sessions.Query(ShardRole.Region);
        return await session.Events.AggregateStreamAsync<TaskState>(TaskState.StreamOf(taskId));
    }

    public async Task<T> ScalarAsync<T>(string sql, params object[] values)
    {
        await using var command = Sessions.DataSource(ShardRole.Region).CreateCommand(sql);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
            node.Dispose();
        if (_app is not null)
            await _app.DisposeAsync();
    }
}
