using System.Threading.Channels;
using Lumora.Bench.Measuring;
using Npgsql;
using NpgsqlTypes;

namespace Lumora.Bench.Ledger.Peers;

/// <summary>One transfer of the lean function.</summary>
internal sealed record LeanTransfer(Guid Key, long Payer, long Payee, long Amount)
{
    /// <summary>Ends when it is durable.</summary>
    public TaskCompletionSource Made { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>
/// Takes any number of calls at once: each connection that is free takes what waits, up to a batch, in one call of the lean function.
/// </summary>
internal sealed class GatheringCaller : ICaller
{
    private readonly Channel<LeanTransfer> _waiting = Channel.CreateUnbounded<LeanTransfer>();
    private readonly Func<LeanTransfer> _next;
    private readonly Task _serving;

    /// <summary>Serves on <paramref name="connections"/>, which it closes at its end.</summary>
    public GatheringCaller(IReadOnlyList<NpgsqlConnection> connections, int batchMax, Func<LeanTransfer> next)
    {
        _next = next;
        _serving = Task.WhenAll(connections.Select(connection => Task.Run(() => ServeAsync(connection, batchMax))));
    }

    /// <inheritdoc/>
    public async Task<int> CallAsync(CancellationToken ct)
    {
        var transfer = _next();
        await _waiting.Writer.WriteAsync(transfer, ct);
        await transfer.Made.Task;
        return 1;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.Complete();
        await _serving;
    }

    private async Task ServeAsync(NpgsqlConnection connection, int batchMax)
    {
        await using var closing = connection;
        await using var command = new NpgsqlCommand("select make_transfers($1, $2, $3, $4)", connection)
        {
            Parameters =
            {
                new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid },
                new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint },
                new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint },
                new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint },
            },
        };
        var batch = new List<LeanTransfer>(batchMax);
        Fill(command, batch);
        await command.PrepareAsync();
        while (await _waiting.Reader.WaitToReadAsync())
        {
            while (batch.Count < batchMax && _waiting.Reader.TryRead(out var transfer))
                batch.Add(transfer);
            if (batch.Count == 0)
                continue;
            try
            {
                Fill(command, batch);
                await command.ExecuteNonQueryAsync();
                batch.ForEach(transfer => transfer.Made.TrySetResult());
            }
            catch (Exception fault)
            {
                batch.ForEach(transfer => transfer.Made.TrySetException(fault));
            }

            batch.Clear();
        }
    }

    private static void Fill(NpgsqlCommand command, List<LeanTransfer> batch)
    {
        command.Parameters[0].Value = batch.ConvertAll(transfer => transfer.Key).ToArray();
        command.Parameters[1].Value = batch.ConvertAll(transfer => transfer.Payer).ToArray();
        command.Parameters[2].Value = batch.ConvertAll(transfer => transfer.Payee).ToArray();
        command.Parameters[3].Value = batch.ConvertAll(transfer => transfer.Amount).ToArray();
    }
}
