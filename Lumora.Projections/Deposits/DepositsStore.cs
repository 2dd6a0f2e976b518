using System.Security.Cryptography;
using JasperFx.Events.Projections;
using Lumora.Domain.Deposits;
using Lumora.Domain.Kernel;
using Lumora.Projections.EventStore;
using Marten;

namespace Lumora.Projections.Deposits;

/// <summary>The documents of deposits.</summary>
public static class DepositsStore
{
    /// <summary>Adds the slice to the store.</summary>
    public static void Configure(StoreOptions options)
    {
        options.Projections.Add(new LiveState<DepositState>(DepositState.Evolve), ProjectionLifecycle.Live);
        options.Schema.For<DepositCode>().Index(code => code.ParticipantId);
        options.Schema.For<DepositCursor>();
        options.Storage.ExtendedSchemaObjects.Add(FaucetPayments.Table());
    }
}

/// <summary>A code that a participant writes into a deposit's memo: on chain it names nobody.</summary>
/// <param name="Id">The code.</param>
/// <param name="ParticipantId">Whose it is.</param>
/// <param name="Used">A deposit came with it. It is still credited, and a new one is given out.</param>
public sealed record DepositCode(string Id, string ParticipantId, bool Used)
{
    private const string Alphabet = "abcdefghjkmnpqrstvwxyz0123456789";
    private const int Length = 20;

    /// <summary>The participant's unused code; a new one where there is none.</summary>
    public static async Task<string> ForAsync(ShardSessions sessions, string participantId, CancellationToken ct)
    {
        await using var session = sessions.Open(ShardRole.Global, Actor.System("deposits"));
        var known = await session.Query<DepositCode>()
            .FirstOrDefaultAsync(code => code.ParticipantId == participantId && !code.Used, ct);
        if (known is not null)
            return known.Id;
        var fresh = new DepositCode($"lmr-{RandomNumberGenerator.GetString(Alphabet, Length)}", participantId, Used: false);
        session.Insert(fresh);
        await session.SaveChangesAsync(ct);
        return fresh.Id;
    }
}

/// <summary>How far a token account's history has been read.</summary>
/// <param name="Id">Genesis hash and token account.</param>
/// <param name="Signature">The newest transaction that is done.</param>
public sealed record DepositCursor(string Id, string Signature);
