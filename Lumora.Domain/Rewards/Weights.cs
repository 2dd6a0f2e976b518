using System.Numerics;

namespace Lumora.Domain.Rewards;

/// <summary>What one node did in an epoch.</summary>
/// <param name="NodeId">Who.</param>
/// <param name="Owner">Participant id of the provider who is paid.</param>
/// <param name="Bytes">Accepted work.</param>
/// <param name="TasksOk">Results accepted.</param>
/// <param name="TasksAll">Results judged.</param>
/// <param name="EpochsKnown">Epochs between its registration and this one.</param>
/// <param name="Suspended">True while it may not earn.</param>
public sealed record NodeWork(
    string NodeId, string Owner, long Bytes, int TasksOk, int TasksAll, long EpochsKnown, bool Suspended);

/// <summary>
/// The work weight <c>w = ⌊work/1024⌋·Q·T</c>, with quality Q and trust T in parts per million, floored at each
/// step. Latency (qL) counts as full as long as no verifier measures it, canaries (qC) as long as none is forged.
/// </summary>
public static class Weights
{
    /// <summary>One, in parts per million.</summary>
    public const long Ppm = 1_000_000;

    /// <summary>Epochs until a node is trusted fully.</summary>
    public const long TrustEpochs = 3;

    /// <summary><c>qS = 10⁶·(ok+4)/(all+5)</c>, floored.</summary>
    public static long Success(int ok, int all) => Ppm * (ok + 4L) / (all + 5L);

    /// <summary>500,000 for the first 3 epochs, then 1,000,000; suspended 0.</summary>
    public static long Trust(long epochsKnown, bool suspended) =>
        suspended ? 0 : epochsKnown < TrustEpochs ? Ppm / 2 : Ppm;

    /// <summary>The weight of one node's work.</summary>
    public static BigInteger Of(NodeWork work) =>
        new BigInteger(work.Bytes / 1024) * Success(work.TasksOk, work.TasksAll)
        * Trust(work.EpochsKnown, work.Suspended);
}

/// <summary>An epoch's emission, split over its three pools: 7,000 and 2,000 basis points and the rest.</summary>
/// <param name="Work">For accepted work.</param>
/// <param name="Availability">For being reachable with a measured capacity.</param>
/// <param name="Verification">For agreeing tests.</param>
public sealed record Pools(Kernel.Amount Work, Kernel.Amount Availability, Kernel.Amount Verification)
{
    /// <summary>Splits <paramref name="emission"/>; the three parts sum up to it exactly.</summary>
    public static Pools Of(Kernel.Amount emission)
    {
        var work = Part(emission, 7_000);
        var availability = Part(emission, 2_000);
        return new Pools(work, availability, emission - work - availability);
    }

    private static Kernel.Amount Part(Kernel.Amount whole, int basisPoints) =>
        new((long)((UInt128)whole.Units * (uint)basisPoints / 10_000));
}

/// <summary>Epochs are numbered from the Unix epoch on: <c>e = ⌊unix s / epochSeconds⌋</c>.</summary>
public static class EpochClock
{
    /// <summary>The epoch that holds <paramref name="time"/>.</summary>
    public static long EpochOf(DateTimeOffset time, int epochSeconds) => time.ToUnixTimeSeconds() / epochSeconds;

    /// <summary>When <paramref name="epoch"/> begins.</summary>
    public static DateTimeOffset StartOf(long epoch, int epochSeconds) =>
        DateTimeOffset.FromUnixTimeSeconds(epoch * epochSeconds);
}
