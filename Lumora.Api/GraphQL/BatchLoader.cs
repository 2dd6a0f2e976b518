using GraphQL.DataLoader;

namespace Lumora.Api.GraphQL;

/// <summary>
/// Loads by key, one query for all the keys that one level of a response asks for. A slice derives one loader per
/// question, registers it as scoped and returns <see cref="LoadAsync"/> from the resolver.
/// </summary>
/// <typeparam name="TKey">What the answer is looked up by; compared by value.</typeparam>
/// <typeparam name="TValue">The answer to one key. For "many to one key", use a list type.</typeparam>
/// <remarks>
/// GraphQL.NET runs every resolver of a level before it waits for the first pending loader result; the first wait closes
/// the batch. Nothing is kept after that: a mutation that follows in the same request reads fresh rows.
/// </remarks>
public abstract class BatchLoader<TKey, TValue>
    where TKey : notnull
{
    /// <summary>Keys in one batch at most; a wider level is split into several queries.</summary>
    public const int KeysPerBatchMax = 1000;

    private readonly Lock _gate = new();
    private Batch? _open;

    /// <summary>Asks for the value of <paramref name="key"/>; null (or default) when there is none.</summary>
    public IDataLoaderResult<TValue?> LoadAsync(TKey key)
    {
        lock (_gate)
        {
            if (_open is null || _open.Keys.Count >= KeysPerBatchMax)
                _open = new Batch(this);
            _open.Keys.Add(key);
            return new Pending(_open, key);
        }
    }

    /// <summary>Reads the values of <paramref name="keys"/> in one query; keys without a value are left out.</summary>
    protected abstract Task<IReadOnlyDictionary<TKey, TValue>> FetchAsync(
        IReadOnlyCollection<TKey> keys, CancellationToken ct);

    private sealed class Batch(BatchLoader<TKey, TValue> loader)
    {
        private Task<IReadOnlyDictionary<TKey, TValue>>? _fetch;

        public HashSet<TKey> Keys { get; } = [];

        public Task<IReadOnlyDictionary<TKey, TValue>> FetchAsync(CancellationToken ct)
        {
            lock (loader._gate)
            {
                if (loader._open == this)
                    loader._open = null;
                return _fetch ??= loader.FetchAsync(Keys, ct);
            }
        }
    }

    private sealed class Pending(Batch batch, TKey key) : IDataLoaderResult<TValue?>
    {
        public async Task<TValue?> GetResultAsync(CancellationToken cancellationToken = default) =>
            (await batch.FetchAsync(cancellationToken)).GetValueOrDefault(key);

        async Task<object?> IDataLoaderResult.GetResultAsync(CancellationToken cancellationToken) =>
            await GetResultAsync(cancellationToken);
    }
}
