using System.Globalization;
using Lumora.Cli.Reports;

namespace Lumora.Cli.Audit;

/// <summary>What an audit has come to: what is wrong, and how well each claim stands by that.</summary>
internal sealed class AuditVerdict
{
    /// <summary>All follows from the tree: without it nothing else is proven.</summary>
    public const string TreeClaim = "tree_whole";

    /// <summary>What is wrong.</summary>
    public List<Finding> Findings { get; } = [];

    /// <summary>What holds and how well.</summary>
    public List<Claim> Claims { get; } = [];

    /// <summary>Whether something breaks <paramref name="claim"/>.</summary>
    public bool Breaks(string claim) => Findings.Exists(finding => finding.Claim == claim);

    /// <summary>Adds a claim that follows from the log's bytes: proven, unless something breaks it or the tree.</summary>
    public void Claim(string name, string detail)
    {
        var broken = Findings.Count(finding => finding.Claim == name);
        Claims.Add((broken, Breaks(TreeClaim)) switch
        {
            (0, false) => new Claim(name, Standing.ProvenOffline, detail),
            // What follows from entries that nobody has signed is worth nothing.
            (0, true) => new Claim(name, Standing.NotProven, "holds for the bytes at hand, which are not those that the checkpoint covers"),
            _ => new Claim(name, Standing.NotProven, broken == 1 ? "1 finding" : string.Create(CultureInfo.InvariantCulture, $"{broken} findings")),
        });
    }

    /// <summary>What was asked and could not be done, or null.</summary>
    public string? Unable { get; private set; }

    /// <summary>A server that fails now does not take what was audited before with it.</summary>
    public void CannotCompare(string claim, string what, Exception fault)
    {
        Unable ??= $"{what} could not be compared: {fault.Message}";
        Claims.Add(new Claim(claim, Standing.NotProven, $"could not be compared: {fault.Message}"));
    }
}
