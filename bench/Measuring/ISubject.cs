namespace Lumora.Bench.Measuring;

/// <summary>One way to do the work, on a database of its own.</summary>
internal interface ISubject : IAsyncDisposable
{
    /// <summary>As it stands in the table and in the JSON.</summary>
    string Name { get; }

    /// <summary>A caller of its own for each of the row's callers.</summary>
    /// <param name="workload">Which accounts take part.</param>
    /// <param name="index">0 to the number of callers − 1; seeds its choices.</param>
    /// <param name="ct">Gives up.</param>
    Task<ICaller> OpenCallerAsync(Workload workload, int index, CancellationToken ct);

    /// <summary>A caller that takes further calls before earlier ones are answered, one transfer each: for a load of fixed rate.</summary>
    /// <param name="workload">Which accounts take part.</param>
    /// <param name="ct">Gives up.</param>
    Task<ICaller> OpenRateAsync(Workload workload, CancellationToken ct) => OpenCallerAsync(workload, 0, ct);

    /// <summary>Checks after a row that the money adds up, where the subject can tell.</summary>
    /// <exception cref="BenchException">It does not.</exception>
    Task VerifyAsync(CancellationToken ct);
}

/// <summary>Somebody who calls and waits for the answer.</summary>
internal interface ICaller : IAsyncDisposable
{
    /// <summary>Makes one call and returns, when it is durable, how many transfers it made.</summary>
    Task<int> CallAsync(CancellationToken ct);
}
