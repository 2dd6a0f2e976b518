using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Npgsql;

namespace Lumora.Integration.Tests.Infrastructure;

/// <summary>
/// Stands between a host and its PostgreSQL, reads the messages that the host sends, and breaks the statements that a test names,
/// one after the other. Everything else passes as it is.
/// </summary>
internal sealed class FaultyPostgres : IAsyncDisposable
{
    private const string Refusal = "lumora_test_refusal";

    // What stands in a broken statement's place, for the server to do what servers do.
    private const string RefusalFunction =
        $"""
        create function {Refusal}(code text) returns boolean language plpgsql as $$
        begin
            if code = '57P01' then
                perform pg_terminate_backend(pg_backend_pid());
                perform pg_sleep(30);
            end if;
            raise exception using errcode = code, message = 'broken by a test';
        end $$
        """;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly string _host;
    private readonly int _port;
    private readonly Lock _gate = new();
    private readonly Queue<StatementFault> _armed = new();
    private TaskCompletionSource _held = NewSign();
    private readonly List<Task> _connections = [];
    private readonly Task _accepting;

    private FaultyPostgres(NpgsqlConnectionStringBuilder server)
    {
        (_host, _port) = (server.Host!, server.Port);
        _listener.Start();
        ConnectionString = new NpgsqlConnectionStringBuilder(server.ConnectionString)
        {
            Host = "127.0.0.1",
            Port = ((IPEndPoint)_listener.LocalEndpoint).Port,
            // The messages are read here.
            SslMode = SslMode.Disable,
            GssEncryptionMode = GssEncryptionMode.Disable,
        }.ConnectionString;
        _accepting = AcceptAsync();
    }

    /// <summary>Reaches the database through here.</summary>
    public string ConnectionString { get; }

    /// <summary>Faults that have not happened yet.</summary>
    public int Armed
    {
        get
        {
            lock (_gate)
                return _armed.Count;
        }
    }

    /// <summary>Stands in front of the database of <paramref name="connectionString"/>.</summary>
    public static async Task<FaultyPostgres> StartAsync(string connectionString)
    {
        await using (var source = NpgsqlDataSource.Create(connectionString))
        {
            await using var command = source.CreateCommand(RefusalFunction);
            await command.ExecuteNonQueryAsync();
        }

        return new FaultyPostgres(new NpgsqlConnectionStringBuilder(connectionString));
    }

    /// <summary>Waits until a statement, or its answer, is held; then the next one can be waited for.</summary>
    public async Task HeldAsync(CancellationToken ct)
    {
        await _held.Task.WaitAsync(ct);
        _held = NewSign();
    }

    /// <summary>Breaks these, each once and in this order.</summary>
    public void Arm(params IEnumerable<StatementFault> faults)
    {
        lock (_gate)
        {
            foreach (var fault in faults)
                _armed.Enqueue(fault);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_connections);
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _connections.Add(RelayAsync(await _listener.AcceptTcpClientAsync(_end.Token)));
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private async Task RelayAsync(TcpClient host)
    {
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
        var session = new Session();
        try
        {
            using (host)
            using (var server = new TcpClient())
            {
                await server.ConnectAsync(_host, _port, cut.Token);
                (host.NoDelay, server.NoDelay) = (true, true);
                await Task.WhenAny(
                    AskAsync(session, host.GetStream(), server.GetStream(), cut.Token),
                    AnswerAsync(session, server.GetStream(), host.GetStream(), cut.Token));
                await cut.CancelAsync();
            }
        }
        catch (Exception gone) when (gone is IOException or SocketException or OperationCanceledException)
        {
            // One of the two has gone, and the other one with it.
        }
    }

    private async Task AskAsync(Session session, Stream host, Stream server, CancellationToken ct)
    {
        var from = PipeReader.Create(host);
        var to = PipeWriter.Create(server);
        while (true)
        {
            var read = await from.ReadAsync(ct);
            var rest = read.Buffer;
            while (Take(session, ref rest) is { } message)
            {
                var fault = Match(session, message);
                if (fault?.Break is Break.Cut or Break.Held)
                {
                    await to.FlushAsync(ct);
                    if (fault.Break == Break.Held)
                        await HoldAsync(from, rest, ct);
                    return;
                }

                session.LosesAnswer |= fault?.Break == Break.AnswerLost;
                session.HoldsAnswer |= fault?.Break == Break.AnswerHeld;
                to.Write(fault is { Code: { } code } ? Refuse(message, code) : message);
            }

            await to.FlushAsync(ct);
            from.AdvanceTo(rest.Start, rest.End);
            if (read.IsCompleted)
                return;
        }
    }

    // Until the host is gone: then the server hears of it.
    private async Task HoldAsync(PipeReader host, ReadOnlySequence<byte> rest, CancellationToken ct)
    {
        host.AdvanceTo(rest.End);
        _held.TrySetResult();
        while (await host.ReadAsync(ct) is { IsCompleted: false } more)
            host.AdvanceTo(more.Buffer.End);
    }

    private async Task AnswerAsync(Session session, Stream server, Stream host, CancellationToken ct)
    {
        var buffer = new byte[65_536];
        while (await server.ReadAsync(buffer, ct) is > 0 and var count)
        {
            // The server has done it: that is what its answer says.
            if (session.LosesAnswer)
                return;
            if (session.HoldsAnswer)
            {
                _held.TrySetResult();
                await Task.Delay(Timeout.Infinite, ct);
            }

            await host.WriteAsync(buffer.AsMemory(0, count), ct);
        }
    }

    private static TaskCompletionSource NewSign() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    // All but the first message of a connection begin with a letter; the length counts itself.
    private static byte[]? Take(Session session, ref ReadOnlySequence<byte> rest)
    {
        var letter = session.IsOpen ? 1 : 0;
        if (rest.Length < letter + sizeof(int))
            return null;
        Span<byte> length = stackalloc byte[sizeof(int)];
        rest.Slice(letter, sizeof(int)).CopyTo(length);
        var total = letter + BinaryPrimitives.ReadInt32BigEndian(length);
        if (rest.Length < total)
            return null;
        var message = rest.Slice(0, total).ToArray();
        rest = rest.Slice(total);
        if (letter == 0)
        {
            session.IsOpen = true;
            return message;
        }

        session.Note(SqlOf(message));
        return message;
    }

    private StatementFault? Match(Session session, byte[] message)
    {
        if (SqlOf(message) is not { } sql)
            return null;
        lock (_gate)
        {
            if (!_armed.TryPeek(out var next) || !next.Matches(sql, session.Transaction))
                return null;
            return _armed.Dequeue();
        }
    }

    // 'Q': a statement. 'P': its name, and the statement.
    private static string? SqlOf(byte[] message)
    {
        const int begin = 1 + sizeof(int);
        if (message[0] == 'Q')
            return Text(message, begin);
        return message[0] == 'P' ? Text(message, Array.IndexOf(message, (byte)0, begin) + 1) : null;
    }

    private static string Text(byte[] message, int at) =>
        Encoding.UTF8.GetString(message, at, Array.IndexOf(message, (byte)0, at) - at);

    /// <summary>The same message with a statement that the server refuses; it takes the same parameters.</summary>
    private static byte[] Refuse(byte[] message, string code)
    {
        const int begin = 1 + sizeof(int);
        var refusal = $"{Refusal}('{code}')";
        if (message[0] == 'Q')
            return Message('Q', [.. Encoding.UTF8.GetBytes($"do $$ begin perform {refusal}; end $$"), 0]);
        var sql = $"select {refusal}";
        var name = message[begin..(Array.IndexOf(message, (byte)0, begin) + 1)];
        var after = begin + name.Length + Encoding.UTF8.GetByteCount(SqlOf(message)!) + 1;
        var types = message[after..];
        if (BinaryPrimitives.ReadInt16BigEndian(types) is > 0 and var count)
            sql += $" where num_nulls({string.Join(", ", Enumerable.Range(1, count).Select(i => $"${i}"))}) >= 0";
        return Message('P', [.. name, .. Encoding.UTF8.GetBytes(sql), 0, .. types]);
    }

    private static byte[] Message(char letter, byte[] body)
    {
        var length = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(length, sizeof(int) + body.Length);
        return [(byte)letter, .. length, .. body];
    }

    /// <summary>One connection.</summary>
    private sealed class Session
    {
        public bool IsOpen { get; set; }

        /// <summary>Its next answer does not come back, and the connection goes.</summary>
        public volatile bool LosesAnswer;

        /// <summary>Its next answer does not come back, and the connection stays.</summary>
        public volatile bool HoldsAnswer;

        /// <summary>What was asked since the transaction began.</summary>
        public List<string> Transaction { get; } = [];

        public void Note(string? sql)
        {
            if (sql is null)
                return;
            if (sql.StartsWith("BEGIN", StringComparison.OrdinalIgnoreCase))
                Transaction.Clear();
            Transaction.Add(sql);
        }
    }
}
