namespace Lumora.Cli.Doctor;

/// <summary>How something that was looked at is.</summary>
internal enum Health
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>Works, with a limit that the message names.</summary>
    Warn,

    /// <summary>Does not work.</summary>
    Fail,
}

/// <summary>One thing that was looked at.</summary>
/// <param name="Area">configuration, server, database, chain, log or tools.</param>
/// <param name="Health">How it is.</param>
/// <param name="What">What was seen.</param>
/// <param name="Remedy">What to do; null when nothing is to be done.</param>
internal sealed record Diagnosis(string Area, Health Health, string What, string? Remedy = null);
