namespace Lumora.Cli.Reports;

/// <summary>What the exit code of every command says.</summary>
internal static class ExitCodes
{
    /// <summary>All that was asked holds.</summary>
    public const int Clean = 0;

    /// <summary>Something does not hold; the output says what and where.</summary>
    public const int Findings = 1;

    /// <summary>The command could not do its work: wrong options, no network, no such file.</summary>
    public const int Unable = 2;
}
