using Lumora.Chain.Anchoring;
using Lumora.Projections.EventStore;
using static Lumora.Api.Log.LogProblems;

namespace Lumora.Api.Log;

/// <summary>The proof of an event in a region's log up to the anchor of the global log (docs/composed-proof.md).</summary>
internal static class ComposedProofEndpoint
{
    /// <summary>Answers the file; 404 with a code while there is none.</summary>
    public static async Task<IResult> GetAsync(
        string shard, Guid eventId, ComposedProofs proofs, ShardSessions sessions, HttpContext context, CancellationToken cancellationToken)
    {
        var (proof, fault) = await proofs.FindAsync(shard, eventId, cancellationToken);
        context.Response.Headers.CacheControl = "no-cache";
        return proof is not null
            ? Results.File(proof.ToBytes(), "application/json", $"{eventId}.composed-proof.json")
            : fault switch
            {
                ComposedProofFault.LogNotFound => NotFound("log_not_found", $"There is no log {shard}."),
                ComposedProofFault.LogIsGlobal => NotFound(
                    "log_is_global", $"{sessions.ShardOf(ShardRole.Global)} is the global log: ask for /log/{shard}/proof/{eventId}."),
                ComposedProofFault.EventNotFound => NotFound("event_not_found", $"The event {eventId} is not in the log {shard}."),
                _ => NotFound(
                    "event_not_recorded", "The global log has recorded no checkpoint yet that covers the event: ask again in a minute."),
            };
    }
}
