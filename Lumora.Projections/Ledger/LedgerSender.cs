using System.Globalization;
using System.Text.Json;
using Lumora.Domain.Ledger;

namespace Lumora.Projections.Ledger;

/// <summary>Sends batches to the writer's host over HTTP, on connections that stay open.</summary>
internal sealed class LedgerSender : IDisposable
{
    private readonly string _path;
    private readonly LedgerMetrics.OfLease? _metrics;
    private readonly HttpClient _http;

    /// <summary>A sender for the ledger of <paramref name="shard"/>.</summary>
    public LedgerSender(string shard, LedgerOptions options, LedgerMetrics.OfLease? metrics)
    {
        (_path, _metrics) = (LedgerSignature.PathOf(shard), metrics);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            ConnectTimeout = TimeSpan.FromSeconds(1),
            MaxConnectionsPerServer = options.ForwardsMax,
            UseCookies = false,
            UseProxy = false,
        };
        _http = new HttpClient(handler)
        {
            MaxResponseContentBufferSize = options.ForwardBytesMax,
            // What waits has a limit of its own.
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>
    /// Sends <paramref name="batch"/> to the holder of <paramref name="lease"/> and answers with the outcomes of each call,
    /// null for a call whose outcome is unknown there. Null when there is no answer that can be believed: the batch is to be
    /// sent again once the lease was read again.
    /// </summary>
    public async Task<IReadOnlyList<IReadOnlyList<LedgerOutcome>?>?> SendAsync(
        IReadOnlyList<Waiting> batch, SeenLease lease, string address, DateTimeOffset? now, CancellationToken ct)
    {
        if (now is not { } time)
            return null;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct, lease.Over);
        try
        {
            return await AskAsync(batch, lease, address, time, limit.Token);
        }
        catch (Exception)
        {
            // Whatever kept the answer away: the request is repeated, and time ends it.
            _metrics?.Sent("unreachable");
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<IReadOnlyList<IReadOnlyList<LedgerOutcome>?>?> AskAsync(
        IReadOnlyList<Waiting> batch, SeenLease lease, string address, DateTimeOffset now, CancellationToken ct)
    {
        var body = LedgerLines.Join(batch.Select(waiting => waiting.Line));
        var time = now.ToUnixTimeMilliseconds();
        var signature = LedgerSignature.OfRequest(lease.Secret, "POST", _path, lease.Term, time, body);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(new Uri(address), _path))
        {
            Content = new ByteArrayContent(body),
        };
        request.Headers.Add(LedgerSignature.TermHeader, lease.Term.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add(LedgerSignature.TimeHeader, time.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add(LedgerSignature.Header, signature);
        using var response = await _http.SendAsync(request, ct);
        var answer = await response.Content.ReadAsByteArrayAsync(ct);
        if (!response.IsSuccessStatusCode || !IsOfWriter(response, lease, signature, answer))
        {
            _metrics?.Sent("refused");
            return null;
        }

        var calls = LedgerLines.Split(answer).Select(line => LedgerWire.DecodeOutcomes(line.Span)).ToList();
        if (calls.Count != batch.Count)
            throw new JsonException("The answer has more or fewer lines than the request.");
        _metrics?.Sent("answered");
        for (var i = 0; i < calls.Count; i++)
            _metrics?.Forwarded(calls[i], batch[i].Pending.Asked.Count);
        return calls;
    }

    private static bool IsOfWriter(HttpResponseMessage response, SeenLease lease, string signature, byte[] answer) =>
        response.Headers.TryGetValues(LedgerSignature.Header, out var given)
        && LedgerSignature.Matches(LedgerSignature.OfAnswer(lease.Secret, signature, answer), given.FirstOrDefault());
}

/// <summary>Lines of JSON, each ended by a line feed.</summary>
internal static class LedgerLines
{
    private const byte End = (byte)'\n';

    public static byte[] Join(IEnumerable<byte[]> lines)
    {
        using var joined = new MemoryStream();
        foreach (var line in lines)
        {
            joined.Write(line);
            joined.WriteByte(End);
        }

        return joined.ToArray();
    }

    public static IEnumerable<ReadOnlyMemory<byte>> Split(ReadOnlyMemory<byte> text)
    {
        while (!text.IsEmpty)
        {
            var end = text.Span.IndexOf(End);
            yield return end < 0 ? text : text[..end];
            text = end < 0 ? default : text[(end + 1)..];
        }
    }
}
