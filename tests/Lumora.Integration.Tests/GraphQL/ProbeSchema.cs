using GraphQL;
using GraphQL.DataLoader;
using Lumora.Api.GraphQL;
using Lumora.Domain.Kernel;

namespace Lumora.Integration.Tests.GraphQL;

/// <summary>Root types with one field for each thing that the endpoint promises.</summary>
public static class Probe
{
    /// <summary>Probes that read.</summary>
    public sealed class Query
    {
        /// <summary>Says hello.</summary>
        [AllowAnyone]
        public static string Hello() => "hello";

        /// <summary>Who calls.</summary>
        [AllowSignedIn]
        public static string WhoAmI(IResolveFieldContext context) => context.Actor().Id;

        /// <summary>For stewards.</summary>
        [Allow(Roles.Steward | Roles.Operator)]
        public static string Secret() => "secret";

        /// <summary>Gives the amount back.</summary>
        /// <param name="value">The amount.</param>
        [AllowAnyone]
        public static Amount Echo(Amount value) => value;

        /// <summary>Gives the number back.</summary>
        /// <param name="value">The number.</param>
        [AllowAnyone]
        public static long Number(long value) => value;

        /// <summary>Gives the moment back.</summary>
        /// <param name="value">The moment.</param>
        [AllowAnyone]
        public static DateTimeOffset Moment(DateTimeOffset value) => value;

        /// <summary>Rows 000 to 999.</summary>
        /// <param name="page">The page.</param>
        [AllowAnyone]
        public static Connection<RowView> Rows(PageRequest page) =>
            page.PageOfAll(Enumerable.Range(0, 1000).Select(n => new RowView($"{n:D3}", n % 3)), row => row.Id);

        /// <summary>Fails.</summary>
        [AllowAnyone]
        public static string? Boom() => throw new InvalidOperationException("the password is hunter2");

        /// <summary>Never answers.</summary>
        [AllowAnyone]
        public static async Task<string> Forever(CancellationToken ct)
        {
            await Task.Delay(Timeout.Infinite, ct);
            return "never";
        }
    }

    /// <summary>Probes that write.</summary>
    public sealed class Mutation
    {
        /// <summary>Counts.</summary>
        /// <param name="counter">Of this host.</param>
        /// <param name="input">By how much.</param>
        [AllowAnyone]
        public static CountPayload Count([FromServices] Counter counter, CountInput input) =>
            input.By > 3
                ? new CountPayload(null, UserError.From(new Rejection("too_much", "At most 3.", "by")))
                : new CountPayload(counter.Add(input.By), null);

        /// <summary>Counts for stewards.</summary>
        /// <param name="counter">Of this host.</param>
        [Allow(Roles.Steward)]
        public static int StewardCount([FromServices] Counter counter) => counter.Add(1);
    }

    /// <summary>How far to count.</summary>
    /// <param name="By">1 to 3.</param>
    public sealed record CountInput(int By);

    /// <summary>What came of it.</summary>
    /// <param name="Total">The new total.</param>
    /// <param name="Error">Why not.</param>
    public sealed record CountPayload(int? Total, UserError? Error);

    /// <summary>One row.</summary>
    /// <param name="Id">Its key.</param>
    /// <param name="OwnerId">Its owner.</param>
    public sealed record RowView(string Id, int OwnerId)
    {
        /// <summary>The owner, loaded in batches.</summary>
        /// <param name="owners">The loader.</param>
        public IDataLoaderResult<Owner?> Owner([FromServices] OwnerLoader owners) => owners.LoadAsync(OwnerId);
    }

    /// <summary>An owner.</summary>
    /// <param name="Name">Its name.</param>
    public sealed record Owner(string Name);

    /// <summary>Loads owners; knows 0 and 1.</summary>
    public sealed class OwnerLoader(Fetches fetches) : BatchLoader<int, Owner>
    {
        /// <inheritdoc/>
        protected override Task<IReadOnlyDictionary<int, Owner>> FetchAsync(
            IReadOnlyCollection<int> keys, CancellationToken ct)
        {
            fetches.Add(keys.Count);
            return Task.FromResult<IReadOnlyDictionary<int, Owner>>(
                keys.Where(k => k < 2).ToDictionary(k => k, k => new Owner($"owner {k}")));
        }
    }

    /// <summary>How many keys each fetch had.</summary>
    public sealed class Fetches : List<int>;

    /// <summary>A number that mutations change.</summary>
    public sealed class Counter
    {
        private int _total;

        /// <summary>The number.</summary>
        public int Total => Volatile.Read(ref _total);

        /// <summary>Adds.</summary>
        public int Add(int by) => Interlocked.Add(ref _total, by);
    }

    /// <summary>A root type that forgot to say who may read.</summary>
    public sealed class Undeclared
    {
        /// <summary>Open by accident.</summary>
        public static string Forgotten() => "oops";
    }
}
