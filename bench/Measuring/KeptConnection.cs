using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Lumora.Bench.Measuring;

/// <summary>
/// One HTTP/1.1 connection that is kept, as a load generator has it: it blocks the caller's thread and makes no garbage. The
/// host runs in this process, and a whole HTTP client beside it would be measured with it.
/// </summary>
internal sealed class KeptConnection : IDisposable
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[256 * 1024];

    /// <summary>Connects to <paramref name="server"/>.</summary>
    public KeptConnection(Uri server) => _socket.Connect(server.Host, server.Port);

    /// <summary>The request for <paramref name="path"/>, to be sent any number of times.</summary>
    public static byte[] Request(Uri server, string path) =>
        Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {server.Authority}\r\n\r\n");

    /// <summary>Sends it and reads all of the answer, which must be 200 with a length of at most 256 KiB.</summary>
    /// <exception cref="BenchException">It is another answer, or none.</exception>
    public void Get(byte[] request)
    {
        _socket.Send(request);
        var (have, need) = (0, int.MaxValue);
        while (have < need)
        {
            var read = have < _buffer.Length ? _socket.Receive(_buffer.AsSpan(have)) : 0;
            if (read == 0)
                throw new BenchException($"No whole answer to {Line(request)}.");
            have += read;
            if (need == int.MaxValue && _buffer.AsSpan(0, have).IndexOf("\r\n\r\n"u8) is >= 0 and var end)
                need = end + 4 + LengthOf(_buffer.AsSpan(0, end + 2), request);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private static int LengthOf(ReadOnlySpan<byte> head, byte[] request)
    {
        const string Name = "\r\nContent-Length: ";
        if (!head.StartsWith("HTTP/1.1 200 "u8))
            throw new BenchException($"{Line(request)} is answered with {Line(head)}.");
        Span<char> text = stackalloc char[head.Length];
        Encoding.ASCII.GetChars(head, text);
        var begin = ((ReadOnlySpan<char>)text).IndexOf(Name, StringComparison.OrdinalIgnoreCase);
        if (begin < 0)
            throw new BenchException($"The answer to {Line(request)} has no length.");
        text = text[(begin + Name.Length)..];
        return int.Parse(text[..text.IndexOf('\r')], CultureInfo.InvariantCulture);
    }

    private static string Line(ReadOnlySpan<byte> bytes) => Encoding.ASCII.GetString(bytes[..bytes.IndexOf("\r\n"u8)]);
}
