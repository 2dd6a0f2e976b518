namespace Lumora.Bench.Measuring;

/// <summary>Between which of the accounts 0..n−1 transfers go. Immutable; the caller brings the randomness.</summary>
/// <param name="Name">As it stands in the table and in the JSON.</param>
/// <param name="Next">Payer and payee of the next transfer, never the same.</param>
internal sealed record Workload(string Name, Func<Random, (int Payer, int Payee)> Next)
{
    private const double HotShare = 0.9;
    private const double ZipfExponent = 1.0;

    /// <summary>Every pair is as likely as every other.</summary>
    public static Workload Uniform(int accounts) => new("uniform", random => Pair(random, random.Next(accounts), accounts));

    /// <summary>90 % of the transfers pay into or out of account 0, half each; all others are uniform.</summary>
    public static Workload Hot(int accounts) => new("hot", random =>
    {
        if (random.NextDouble() >= HotShare)
            return Pair(random, random.Next(accounts), accounts);
        var other = random.Next(1, accounts);
        return random.Next(2) == 0 ? (0, other) : (other, 0);
    });

    /// <summary>The k-th account is chosen with a probability proportional to 1/k.</summary>
    public static Workload Zipf(int accounts)
    {
        var cumulative = new double[accounts];
        var sum = 0.0;
        for (var i = 0; i < accounts; i++)
            cumulative[i] = sum += 1 / Math.Pow(i + 1, ZipfExponent);
        return new("zipf", random =>
        {
            var payer = Draw(random);
            var payee = Draw(random);
            while (payee == payer)
                payee = Draw(random);
            return (payer, payee);
        });

        int Draw(Random random)
        {
            var found = Array.BinarySearch(cumulative, random.NextDouble() * sum);
            return Math.Min(found < 0 ? ~found : found, accounts - 1);
        }
    }

    private static (int Payer, int Payee) Pair(Random random, int payer, int accounts)
    {
        var payee = random.Next(accounts - 1);
        return (payer, payee >= payer ? payee + 1 : payee);
    }
}
