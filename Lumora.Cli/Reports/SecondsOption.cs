using System.CommandLine;
using System.Globalization;

namespace Lumora.Cli.Reports;

/// <summary>Options that say a time in seconds, up to a day.</summary>
internal static class SecondsOption
{
    private const double Max = 86_400;

    /// <summary>One of at least <paramref name="least"/> seconds, <paramref name="otherwise"/> when it is not given.</summary>
    public static Option<double> Create(string name, string description, double otherwise, double least)
    {
        var option = new Option<double>(name)
        {
            Description = description,
            HelpName = "SECONDS",
            DefaultValueFactory = _ => otherwise,
        };
        option.Validators.Add(result =>
        {
            if (!(result.GetValueOrDefault<double>() is var given && given >= least && given <= Max))
                result.AddError(string.Create(CultureInfo.InvariantCulture, $"{name} must be {least} to {Max}."));
        });
        return option;
    }
}
