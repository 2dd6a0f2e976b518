using System.Diagnostics;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Npgsql;

namespace Lumora.Projections.Ledger;

/// <summary>Where the journal stands once everything that was decided is committed.</summary>
/// <param name="Fence">The fence's version.</param>
/// <param name="Version">Events in the journal.</param>
/// <param name="AccountCount">Accounts ever opened.</param>
/// <param name="At">Time of the last event.</param>
internal sealed record LedgerPlace(long Fence, long Version, long AccountCount, DateTimeOffset At);

/// <summary>
/// Decides batches and commits them; keeps what the writer believes of the tables. A belief runs ahead of the commits: where
/// one of them fails, or its end is unknown, all of it is dropped and the tables are asked again.
/// </summary>
internal sealed class LedgerCommitter(
    string shard, NpgsqlDataSource source, LedgerCompanions companions, AccountCache cache, RefusalLimiter refusals, TimeProvider clock,
    ILedgerProbe? probe)
{
    // How long rows may be there ahead of the fence. A writer who has it may be waiting for them: it adds rows under the same
    // ids when it decides from the same place, and the database cannot see that this batch waits in this process for it.
    private static readonly TimeSpan AheadMax = TimeSpan.FromSeconds(1);

    private LedgerPlace? _place;

    /// <summary>Drops every belief: the next batch takes the fence wherever it stands.</summary>
    public void Forget()
    {
        _place = null;
        cache.Clear();
    }

    /// <summary>Takes back what <paramref name="flight"/>, which did not arrive, counted beside the tables.</summary>
    public void TakeBack(LedgerFlight flight) => refusals.GiveBack(flight.Asked, flight.Decided);

    /// <summary>
    /// True when <paramref name="asked"/> can be decided before the batch ahead of it is committed. What locks streams for
    /// companions, or reads the journal itself, cannot.
    /// </summary>
    public bool CanRunAhead(IReadOnlyList<PreparedRequest> asked)
    {
        if (_place is null)
            return false;
        foreach (var (request, _, _) in asked)
        {
            if (request.Companion is not null || request.Command is ReverseTransaction)
                return false;
        }

        return true;
    }

    /// <summary>
    /// Decides <paramref name="batch"/> on rows that are read now and on what <paramref name="before"/>, which may still be on
    /// its way, makes of them. The rows cannot be wrong where the commit succeeds: it takes the fence from where
    /// <paramref name="before"/> leaves it, so nobody else wrote since.
    /// </summary>
    public async Task<LedgerFlight> DecideAheadAsync(
        IReadOnlyList<Pending> batch, IReadOnlyList<PreparedRequest> asked, LedgerFlight? before, CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        var place = _place!;
        var accounts = LedgerBatch.AccountsOf(asked);
        var (missing, cached) = cache.Split(accounts);
        var needs = LedgerBatch.NeedsOf(asked, missing);
        var state = new LedgerState(place.Version, place.AccountCount, place.At, requestCount: asked.Count);
        var transaction = await LedgerTransaction.OpenAsync(source, ct);
        try
        {
            await transaction.ReadAsync(new LedgerLoad(shard, needs), state, ct);
            foreach (var account in cached)
                state.Load(account);
            before?.Decided.Writes.CarryOver(state);
            var decided = await DecideAsync(transaction, batch, asked, state, ct);
            if (decided.Events.Count > 0)
                Believe(place.Fence + 1, accounts, state);
            return new LedgerFlight(batch, asked, decided, transaction, place, started);
        }
        catch
        {
            await transaction.DisposeAsync();
            throw;
        }
    }

    /// <summary>Commits what was decided ahead, behind the batch <paramref name="before"/>.</summary>
    /// <exception cref="LedgerFenceLostException">Another writer has moved the fence, or the batch before failed.</exception>
    /// <exception cref="TimeoutException">The batch before took so long that the rows of this one might be in somebody's way.</exception>
    public async Task CommitAsync(LedgerFlight flight, LedgerFlight? before, CancellationToken ct)
    {
        var (decided, transaction) = (flight.Decided, flight.Transaction);
        await ReachAsync(CommitPoint.BeforeAppend, transaction, ct);
        await transaction.AddRowsAsync(decided.Writes, isWaiting: before is { Written.IsCompleted: false }, ct);
        // It has the fence then and lets it go with its commit. Earlier, this batch might get there first.
        if (before is not null && !await before.Written.WaitAsync(transaction.HasRows ? AheadMax : Timeout.InfiniteTimeSpan, ct))
            throw new LedgerFenceLostException();
        await transaction.WriteAsync(shard, flight.Place, decided, ct);
        flight.IsWritten();
        await ReachAsync(CommitPoint.AfterAppend, transaction, ct);
        // The fence is a number: another writer may have moved it to where the batch before, which then failed, was to leave it.
        // Where that one is committed, the number is its own.
        if (before is not null && !await before.Committed)
            throw new LedgerFenceLostException();
        await transaction.CommitAsync(ct);
        flight.IsCommitted();
        await ReachAsync(CommitPoint.AfterCommit, transaction, ct);
    }

    /// <summary>
    /// Takes the fence first, then reads, decides and commits, with nothing else on its way. Null when another writer has
    /// moved the fence.
    /// </summary>
    public async Task<DecidedBatch?> TryCommitAsync(
        IReadOnlyList<Pending> batch, IReadOnlyList<PreparedRequest> asked, CancellationToken ct)
    {
        var accounts = LedgerBatch.AccountsOf(asked);
        var (missing, cached) = cache.Split(accounts);
        await using var transaction = await LedgerTransaction.OpenAsync(source, ct);
        var needs = LedgerBatch.NeedsOf(asked, missing);
        if (await transaction.MoveFenceAsync(shard, _place?.Fence, needs, ct) is not { } moved)
        {
            Check.That(_place is not null, "a writer without a belief takes the fence wherever it stands");
            return null;
        }

        var state = moved.State;
        foreach (var account in cached)
            state.Load(account);
        var decided = await DecideAsync(transaction, batch, asked, state, ct);
        try
        {
            await ReachAsync(CommitPoint.BeforeAppend, transaction, ct);
            if (decided.Events.Count > 0)
            {
                await WriteAsync(transaction, decided, ct);
                Believe(moved.Fence, accounts, state);
                await ReachAsync(CommitPoint.AfterCommit, transaction, ct);
            }

            return decided;
        }
        catch
        {
            refusals.GiveBack(asked, decided);
            throw;
        }
    }

    private async Task WriteAsync(LedgerTransaction transaction, DecidedBatch decided, CancellationToken ct)
    {
        // Companions first: what can still conflict does so before the journal takes sequence numbers.
        if (decided.Companions.Count > 0)
            await companions.AppendAsync(transaction.Transaction, decided.Companions, ct);
        await transaction.AddRowsAsync(decided.Writes, isWaiting: false, ct);
        await transaction.WriteAsync(shard, place: null, decided, ct);
        await ReachAsync(CommitPoint.AfterAppend, transaction, ct);
        await transaction.CommitAsync(ct);
    }

    // On a state that has all that is known to be looked at before any of it is read.
    private async Task<DecidedBatch> DecideAsync(
        LedgerTransaction transaction, IReadOnlyList<Pending> batch, IReadOnlyList<PreparedRequest> asked, LedgerState state,
        CancellationToken ct)
    {
        var further = LedgerBatch.FurtherAccountsOf(asked, state);
        if (further.Count > 0)
            await transaction.ReadAsync(further, state, ct);
        return LedgerBatch.Decide(state, batch, clock.Now(), refusals);
    }

    private void Believe(long fence, HashSet<AccountKey> accounts, LedgerState state)
    {
        _place = new LedgerPlace(fence, state.Version, state.AccountCount, state.At);
        accounts.UnionWith(state.Touched.Keys);
        foreach (var key in accounts)
            cache.Put(key, state.Account(key));
    }

    private ValueTask ReachAsync(CommitPoint point, LedgerTransaction transaction, CancellationToken ct) =>
        probe?.ReachedAsync(point, transaction.Backend, ct) ?? ValueTask.CompletedTask;
}

/// <summary>A batch that is decided and on its way into the tables.</summary>
/// <param name="Batch">Who waits for it.</param>
/// <param name="Asked">All their requests, in order.</param>
/// <param name="Decided">What was decided.</param>
/// <param name="Transaction">Where it is written; the flight's to dispose.</param>
/// <param name="Place">Where the batch before it leaves the journal.</param>
/// <param name="Started">When it was taken, as of <see cref="Stopwatch"/>.</param>
internal sealed record LedgerFlight(
    IReadOnlyList<Pending> Batch, IReadOnlyList<PreparedRequest> Asked, DecidedBatch Decided, LedgerTransaction Transaction,
    LedgerPlace Place, long Started)
{
    private readonly TaskCompletionSource<bool> _written = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<bool> _committed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when all is written but the commit; false when that failed.</summary>
    public Task<bool> Written => _written.Task;

    /// <summary>Ends with the commit; false when it failed, or nobody knows.</summary>
    public Task<bool> Committed => _committed.Task;

    /// <summary>Ends <see cref="Written"/>.</summary>
    public void IsWritten() => _written.TrySetResult(true);

    /// <summary>Ends both.</summary>
    public void IsCommitted() => End(arrived: true);

    /// <summary>Ends what has not ended, as a failure.</summary>
    public void HasFailed() => End(arrived: false);

    private void End(bool arrived)
    {
        _written.TrySetResult(arrived);
        _committed.TrySetResult(arrived);
    }

    /// <summary>Ends when it is committed and answered, with the fault when it is not, or nobody knows whether it is.</summary>
    public Task<Exception?> Landing { get; set; } = Task.FromResult<Exception?>(null);
}

/// <summary>The fence does not stand where it was believed to.</summary>
internal sealed class LedgerFenceLostException(Exception? inner = null)
    : Exception("The ledger's fence does not stand where this writer believed it to.", inner);
