using System.Text;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Programs;
using Lumora.Chain.Solana.Rpc;
using Lumora.Domain.Deposits;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Projections.Deposits;
using Lumora.Projections.EventStore;
using Lumora.Projections.Hosting;
using Lumora.Projections.Ledger;
using Marten;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Lumora.Chain.Deposits;

/// <summary>
/// Credits finalized transfers into the treasury's token account, oldest first from a stored cursor. The ledger's
/// idempotency key is (signature, instruction), so a crash between credit and cursor credits nobody twice.
/// </summary>
public sealed partial class DepositWatcher(
    SolanaConnection connection, ShardSessions sessions, ILedgers ledgers, LumoraHome home, IOptions<SolanaOptions> options,
    TimeProvider clock, ILogger<DepositWatcher> logger) : BackgroundService
{
    private const int PageMax = 1000;
    private static readonly Actor Network = Actor.System("deposits");
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary>The token, once the chain is there.</summary>
    public LmrToken? Token { get; private set; }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        string? said = null;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var cluster = await connection.WaitAsync(stoppingToken);
                Token ??= await LmrToken.OpenAsync(cluster, options.Value.Mint, home, stoppingToken);
                await ReadAsync(cluster, Token, stoppingToken);
                said = null;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault) when (fault is SolanaException or NpgsqlException or LedgerUnavailableException
                or Marten.Exceptions.MartenCommandException or JasperFx.ConcurrencyException)
            {
                if (said != fault.Message)
                    LogFault(fault.Message);
                said = fault.Message;
            }

            await Task.Delay(Pause, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ReadAsync(SolanaCluster cluster, LmrToken token, CancellationToken ct)
    {
        var id = $"{cluster.GenesisHash}/{token.TreasuryAccount}";
        await using var query = sessions.Query(ShardRole.Global);
        var cursor = await query.LoadAsync<DepositCursor>(id, ct);
        foreach (var row in await NewerAsync(cluster, token.TreasuryAccount, cursor?.Signature, ct))
        {
            if (row.Error is null && !await CreditAsync(cluster, token, row, ct))
                return;
            await using var session = sessions.Open(ShardRole.Global, Network);
            session.Store(new DepositCursor(id, row.Signature));
            await session.SaveChangesAsync(ct);
        }
    }

    /// <summary>All finalized transactions after the cursor, oldest first; servers answer newest first, in pages.</summary>
    private static async Task<List<SignatureInfo>> NewerAsync(
        SolanaCluster cluster, PublicKey account, string? until, CancellationToken ct)
    {
        var rows = new List<SignatureInfo>();
        while (true)
        {
            var before = rows.Count == 0 ? null : rows[^1].Signature;
            var page = await cluster.AnyAsync(server =>
                server.GetSignaturesForAddressAsync(account, PageMax, before, until, Commitment.Finalized, ct));
            rows.AddRange(page);
            if (page.Count < PageMax)
                break;
        }

        rows.Reverse();
        return rows;
    }

    /// <summary>Credits the transfers of one transaction; false when it must be tried again.</summary>
    private async Task<bool> CreditAsync(SolanaCluster cluster, LmrToken token, SignatureInfo row, CancellationToken ct)
    {
        var record = await cluster.AnyAsync(server => server.GetTransactionAsync(row.Signature, Commitment.Finalized, ct));
        if (record is null)
            return false;
        var message = Transaction.Deserialize(record.Raw).Message;
        var memos = Transaction.Deserialize(record.Raw).DataFor(MemoProgram.ProgramId).Select(Encoding.UTF8.GetString).ToList();
        for (var index = 0; index < message.Instructions.Count; index++)
        {
            if (TransferTo(token, message, index) is { } amount
                && !await CreditAsync(row, index, amount, memos, ct))
                return false;
        }

        return true;
    }

    private async Task<bool> CreditAsync(
        SignatureInfo row, int index, Amount amount, List<string> memos, CancellationToken ct)
    {
        await using var session = sessions.Open(ShardRole.Global, Network);
        if (await session.Events.FetchStreamStateAsync(DepositState.StreamOf(row.Signature, index), ct) is not null)
            return true;
        var code = memos.Count == 1 ? await session.LoadAsync<DepositCode>(memos[0], ct) : null;
        if (code is null)
        {
            var reason = memos.Count switch { 0 => "no_code", 1 => "unknown_code", _ => "ambiguous_memo" };
            return await ParkAsync(session, row, index, amount, reason, ct);
        }

        // Before the credit: whoever sees the money is given another code, and a crash in between costs only this one.
        session.Store(code with { Used = true });
        await session.SaveChangesAsync(ct);
        switch (await SubmitAsync(row, index, amount, code.ParticipantId, ct))
        {
            case LedgerOutcome.Posted:
                LogCredited(amount, row.Signature);
                return true;
            case LedgerOutcome.Refused { Rejection.Code: not LedgerCodes.CompanionConflict } refused:
                // One deposit that the ledger cannot take must not hold up all that come after it.
                return await ParkAsync(session, row, index, amount, refused.Rejection.Code, ct);
            default:
                return false;
        }
    }

    private async Task<LedgerOutcome> SubmitAsync(
        SignatureInfo row, int index, Amount amount, string participantId, CancellationToken ct)
    {
        // Refused where it is open already, which is as good.
        var account = ChartOfAccounts.Available(participantId);
        await ledgers.For(ShardRole.Global).SubmitAsync(
            new LedgerRequest(Network, $"open/{account}/{ChartOfAccounts.Lmr}", new OpenAccount(account)), ct);
        var stream = DepositState.StreamOf(row.Signature, index);
        var posting = new Posting(ChartOfAccounts.Solana, account, amount);
        var credited = new DepositCredited(
            row.Signature, index, participantId, amount, checked((long)row.Slot), clock.Now());
        return await ledgers.For(ShardRole.Global).SubmitAsync(
            new LedgerRequest(
                Network, stream, new PostTransaction("deposit", [posting], new TransactionReference("deposit", stream)),
                new CompanionEvents(stream, typeof(DepositState), null, [credited])),
            ct);
    }

    private async Task<bool> ParkAsync(
        IDocumentSession session, SignatureInfo row, int index, Amount amount, string reason, CancellationToken ct)
    {
        session.Events.StartStream<DepositState>(
            DepositState.StreamOf(row.Signature, index),
            new DepositUnattributed(row.Signature, index, amount, reason, checked((long)row.Slot), clock.Now()));
        await session.SaveChangesAsync(ct);
        LogParked(amount, row.Signature, reason);
        return true;
    }

    private static Amount? TransferTo(LmrToken token, Message message, int index)
    {
        var instruction = message.Instructions[index];
        if (message.AccountKeys[instruction.ProgramIdIndex] != TokenProgram.ProgramId
            || TokenProgram.ReadTransfer(instruction.Data) is not { } transfer
            || transfer.Amount is 0 or > long.MaxValue
            || instruction.KeyIndices.Length <= transfer.DestinationIndex)
            return null;
        var destination = message.AccountKeys[instruction.KeyIndices[transfer.DestinationIndex]];
        return destination == token.TreasuryAccount ? new Amount((long)transfer.Amount) : null;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Deposit of {Amount} LMR base units in {Signature} credited")]
    private partial void LogCredited(Amount amount, string signature);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Deposit of {Amount} LMR base units in {Signature} is parked for a steward: {Reason}")]
    private partial void LogParked(Amount amount, string signature, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Deposits wait: {Reason}")]
    private partial void LogFault(string reason);
}
