using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Lumora.Chain.Witnessing;

namespace Lumora.Chain.Tests.Witnesses;

/// <summary>Something that answers over HTTP where a witness should: a real one, or what a test makes of it.</summary>
internal sealed class ListeningWitness : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _serving;

    public ListeningWitness()
    {
        Url = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort()}/w");
        _listener.Prefixes.Add($"{Url}/");
        _listener.Start();
        _serving = ServeAsync();
    }

    public string Url { get; }

    /// <summary>Answers <c>add-checkpoint</c>; null: never.</summary>
    public Func<byte[], Task<WitnessAnswer>>? Answer { get; set; }

    /// <summary>Answers the monitors.</summary>
    public Func<string, Task<byte[]?>> Show { get; set; } = _ => Task.FromResult<byte[]?>(null);

    /// <summary>Bodies that came in.</summary>
    public List<string> Asked { get; } = [];

    public async ValueTask DisposeAsync()
    {
        if (!_listener.IsListening)
            return;
        await _stop.CancelAsync();
        _listener.Close();
        await _serving;
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                _ = AnswerAsync(await _listener.GetContextAsync());
            }
            catch (Exception closed) when (closed is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        try
        {
            var path = context.Request.Url!.AbsolutePath["/w/".Length..];
            if (path != "add-checkpoint")
            {
                var note = await Show(path.Split('/')[0]);
                await WriteAsync(context, note is null ? 404 : 200, "text/plain", note ?? []);
                return;
            }

            using var body = new MemoryStream();
            await context.Request.InputStream.CopyToAsync(body, _stop.Token);
            lock (Asked)
                Asked.Add(Encoding.UTF8.GetString(body.ToArray()));
            if (Answer is null)
            {
                await Task.Delay(Timeout.Infinite, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return;
            }

            var answer = await Answer(body.ToArray());
            await WriteAsync(context, answer.Status, answer.ContentType, Encoding.UTF8.GetBytes(answer.Body));
        }
        catch (Exception gone) when (gone is HttpListenerException or ObjectDisposedException or IOException)
        {
            // Who asked does not wait any more.
        }
    }

    private static async Task WriteAsync(HttpListenerContext context, int status, string type, byte[] body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        await context.Response.OutputStream.WriteAsync(body);
        context.Response.Close();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
