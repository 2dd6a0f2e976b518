using Lumora.Cli.Reports;

namespace Lumora.Cli.Audit;

/// <summary>
/// A check that is folded from the entries of the log alone, one behind the other. What it keeps can be written down after a
/// clean audit, so that the next one goes on behind the last entry and says the same as one that began at the first.
/// </summary>
internal interface IAuditPart
{
    /// <summary>Takes the next entry; what is wrong with it.</summary>
    IEnumerable<Finding> Take(LoggedEvent entry);

    /// <summary>Writes what it keeps.</summary>
    void Save(BinaryWriter output);

    /// <summary>Reads what <see cref="Save"/> wrote; nothing was taken before.</summary>
    void Load(BinaryReader input);
}
