using System.ComponentModel.DataAnnotations;

namespace Lumora.Api.Tasks;

/// <summary>Settings under <c>Lumora:Tasks</c>.</summary>
internal sealed class TasksOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Lumora:Tasks";

    /// <summary>Development switch: this machine's own addresses may be visited. Default false.</summary>
    public bool AllowLoopback { get; set; }

    /// <summary>A lease lasts this long, 10 to 3,600 seconds, … Default 120.</summary>
    [Range(10, 3_600)]
    public int LeaseSeconds { get; set; } = 120;

    /// <summary>… and this much longer for each page, 0 to 120 seconds. Default 6.</summary>
    [Range(0, 120)]
    public int LeaseSecondsPerPage { get; set; } = 6;

    /// <summary>How often deadlines are looked at, 50 to 60,000 ms. Default 1,000.</summary>
    [Range(50, 60_000)]
    public int SweepMs { get; set; } = 1_000;

    /// <summary>How long the lease of a task with <paramref name="pages"/> pages lasts.</summary>
    public TimeSpan LeaseFor(int pages) => TimeSpan.FromSeconds(LeaseSeconds + (LeaseSecondsPerPage * pages));
}
