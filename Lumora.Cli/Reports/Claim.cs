using System.Globalization;

namespace Lumora.Cli.Reports;

/// <summary>How well a claim stands after a check.</summary>
internal enum Standing
{
    /// <summary>Follows from bytes at hand and the log's key; no server has to be believed.</summary>
    ProvenOffline,

    /// <summary>Was compared with a finalized transaction, as the RPC server in use gives it.</summary>
    ProvenOnChain,

    /// <summary>Can be shown by asking Solana alone, which was not done.</summary>
    NeedsChain,

    /// <summary>Does not hold, or nothing here shows it.</summary>
    NotProven,
}

/// <summary>One claim about a log or an event.</summary>
/// <param name="Name">A stable name, snake_case.</param>
/// <param name="Standing">How well it stands.</param>
/// <param name="Detail">What was compared with what, for people.</param>
internal sealed record Claim(string Name, Standing Standing, string Detail);

/// <summary>Something that is wrong.</summary>
/// <param name="Claim">The claim that it breaks.</param>
/// <param name="Where">The file, entry, stream or transaction.</param>
/// <param name="What">What is wrong there.</param>
internal sealed record Finding(string Claim, string Where, string What);

/// <summary>Writes claims and findings as lines that people read and scripts can cut.</summary>
internal static class ClaimLines
{
    public static void Write(TextWriter output, IEnumerable<Claim> claims)
    {
        foreach (var claim in claims)
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"  {Label(claim.Standing),-16} {claim.Name,-20} {claim.Detail}"));
    }

    public static void Write(TextWriter output, IEnumerable<Finding> findings)
    {
        foreach (var finding in findings)
            output.WriteLine($"  WRONG            {finding.Where}: {finding.What}");
    }

    private static string Label(Standing standing) => standing switch
    {
        Standing.ProvenOffline => "proven offline",
        Standing.ProvenOnChain => "proven on chain",
        Standing.NeedsChain => "needs the chain",
        _ => "not proven",
    };
}
