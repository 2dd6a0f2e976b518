using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Rewards;

/// <summary>Somebody with a claim on a part of a pool.</summary>
/// <param name="Id">Unique in one allocation; ties are broken by its hash.</param>
/// <param name="Weight">0 or more, of any size: products of weights exceed 128 bits.</param>
public sealed record Weighted(string Id, BigInteger Weight);

/// <summary>What one claim got.</summary>
/// <param name="Id">The claim's id.</param>
/// <param name="Weight">The claim's weight.</param>
/// <param name="Amount">Its exact part.</param>
public sealed record Share(string Id, BigInteger Weight, Amount Amount);

/// <summary>A pool, divided to the last unit.</summary>
/// <param name="Shares">One per claim, in the order of the claims.</param>
/// <param name="Unallocated">The whole pool when no weight is above 0, else nothing.</param>
public sealed record AllocationResult(IReadOnlyList<Share> Shares, Amount Unallocated);

/// <summary>
/// The exact allocation of the bandwidth page: largest remainders, no unit lost and none made.
/// <c>q = P·w div S; R = P − Σq; +1 to the R largest remainders, ties by SHA-256("lumora/tie/1" ‖ u64be e ‖ id)
/// ascending</c>.
/// </summary>
public static class Allocation
{
    private static readonly byte[] TiePrefix = Encoding.UTF8.GetBytes("lumora/tie/1");

    /// <summary>Divides <paramref name="pool"/> by <paramref name="claims"/>.</summary>
    /// <param name="pool">What there is to divide.</param>
    /// <param name="claims">Who has a claim; ids are unique, weights not negative.</param>
    /// <param name="epoch">Part of the tie rule, so that ties fall differently in each epoch.</param>
    public static AllocationResult Allocate(Amount pool, IReadOnlyList<Weighted> claims, long epoch = 0)
    {
        Check.That(claims.All(claim => claim.Weight.Sign >= 0));
        var sum = claims.Aggregate(BigInteger.Zero, (total, claim) => total + claim.Weight);
        if (sum.IsZero)
            return new AllocationResult([.. claims.Select(claim => new Share(claim.Id, 0, Amount.Zero))], pool);

        var quotients = new long[claims.Count];
        var remainders = new BigInteger[claims.Count];
        for (var i = 0; i < claims.Count; i++)
            quotients[i] = (long)BigInteger.DivRem(pool.Units * claims[i].Weight, sum, out remainders[i]);

        var left = pool.Units - quotients.Sum();
        Check.That(left >= 0 && left < Math.Max(1, claims.Count));
        foreach (var index in LargestRemainders(claims, remainders, epoch, (int)left))
            quotients[index]++;

        var shares = claims.Select((claim, i) => new Share(claim.Id, claim.Weight, new Amount(quotients[i]))).ToList();
        Check.That(shares.Sum(share => share.Amount.Units) == pool.Units);
        return new AllocationResult(shares, Amount.Zero);
    }

    private static IEnumerable<int> LargestRemainders(
        IReadOnlyList<Weighted> claims, BigInteger[] remainders, long epoch, int count)
    {
        if (count == 0)
            return [];
        return Enumerable.Range(0, claims.Count)
            .Where(i => remainders[i].Sign > 0)
            .OrderByDescending(i => remainders[i])
            .ThenBy(i => TieHash(epoch, claims[i].Id), StringComparer.Ordinal)
            .Take(count);
    }

    private static string TieHash(long epoch, string id)
    {
        var name = Encoding.UTF8.GetBytes(id);
        var bytes = new byte[TiePrefix.Length + sizeof(ulong) + name.Length];
        TiePrefix.CopyTo(bytes, 0);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(TiePrefix.Length), (ulong)epoch);
        name.CopyTo(bytes, TiePrefix.Length + sizeof(ulong));
        return Convert.ToHexString(SHA256.HashData(bytes));
    }
}
