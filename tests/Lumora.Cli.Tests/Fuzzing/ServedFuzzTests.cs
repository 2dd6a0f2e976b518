using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Lumora.Chain.Tests.Fuzzing;
using Lumora.Chain.Tiles;
using Lumora.Cli.Audit;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;
using Lumora.Domain.Kernel;
using Lumora.Domain.Log;

namespace Lumora.Cli.Tests.Fuzzing;

/// <summary>Fuzzers of what a log's server gives to an auditor: events, the export, and answers of GraphQL.</summary>
public sealed class ServedFuzzTests
{
    /// <summary>
    /// An operator may sign events of any form. They are found wrong, or fold to a state that is kept and read again. An input is the
    /// place of an entry, a line feed, and other data for it.
    /// </summary>
    [Fact]
    public async Task Events_that_an_operator_has_signed()
    {
        using var network = new AuditedNetwork();
        var kept = new List<byte[]>();
        var entries = new List<byte[]>();
        for (var i = 0; i < network.Count; i++)
        {
            kept.Add(Save(network.Fold()));
            await network.GrowAsync(i + 1);
            entries.Add([.. Encoding.ASCII.GetBytes(i.ToString(CultureInfo.InvariantCulture)), (byte)'\n', .. network.Entry(i).DataBytes.Span]);
        }

        Fuzz.Parser(
            [.. entries],
            input =>
            {
                var split = input.AsSpan().IndexOf((byte)'\n');
                if (split < 0 || !int.TryParse(Encoding.Latin1.GetString(input, 0, split), NumberStyles.None, CultureInfo.InvariantCulture, out var index) || index >= kept.Count)
                    throw new FormatException("no entry");
                var (fold, verdict) = (Load(network.Subject, kept[index]), new AuditVerdict());
                verdict.Findings.AddRange(fold.Take(network.Logged(index, Read(input[(split + 1)..]))));
                FoldClaims.Add(verdict, fold, EpochLength.Default);
                if (verdict.Findings.Count == 0)
                    Assert.Equal(Save(fold), Save(Load(network.Subject, Save(fold))));
                Assert.True(verdict.Findings.Count == 0 || !entries.Any(input.SequenceEqual));
                return input;
            },
            // The state in front of the entry is read, and twice written and read again.
            iterations: 2_000, allocatedPerByte: 2_000, allocatedBeside: 20 * kept.Max(state => state.Length));
    }

    /// <summary>A server tells what it likes: it is the same as the log's, or it is a finding, or it cannot be compared.</summary>
    [Fact]
    public async Task Answers_of_GraphQL()
    {
        using var network = new AuditedNetwork();
        await network.GrowAsync(network.Count);
        var fold = network.Fold();
        Assert.NotEmpty(fold.Public.Epochs);
        var good = JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                checkpoint = new { shard = AuditedNetwork.Shard },
                epochs = new { pageInfo = new { hasNextPage = false, endCursor = "x" }, nodes = fold.Public.Epochs.Values },
                datasets = new { pageInfo = new { hasNextPage = false, endCursor = (string?)null }, nodes = Array.Empty<string>() },
            },
            WireJson.Events);
        Fuzz.Parser(
            [good],
            input =>
            {
                using var source = new OneFile(input);
                var check = new AggregateCheck(source, AuditedNetwork.Shard, fold, signedIn: false);
                var findings = check.RunAsync(TestContext.Current.CancellationToken).GetAwaiter().GetResult();
                Assert.True(findings is { Count: 0 } || !input.SequenceEqual(good));
                return input;
            },
            [typeof(FormatException), typeof(UnableException)], iterations: 2_000, allocatedPerByte: 1_000);
    }

    /// <summary>An export of other lines than the entries has a finding for each of them, until it ends.</summary>
    [Fact]
    public void Lines_of_an_export()
    {
        byte[][] entries = [.. Enumerable.Range(0, 12).Select(i => Encoding.ASCII.GetBytes(new string('x', i * i)))];
        byte[] whole = [.. entries.SelectMany(entry => (byte[])[.. entry, (byte)'\n'])];
        Fuzz.Parser(
            [whole, [.. whole, .. "more of it"u8]],
            input =>
            {
                using var source = new OneFile(input);
                var found = CheckAsync(source, entries).GetAwaiter().GetResult();
                var lines = Encoding.Latin1.GetString(input).Split('\n')[..^1];
                var expected = Enumerable.Range(0, Math.Min(lines.Length, entries.Length)).Count(i => lines[i] != Encoding.Latin1.GetString(entries[i]));
                Assert.Equal(expected + (lines.Length < entries.Length ? 1 : 0), found);
                return input;
            },
            iterations: 2_000);
    }

    /// <summary>Long data stands apart from its leaf.</summary>
    private static byte[] Read(byte[] data)
    {
        using var source = new OneFile(data);
        var detached = new DetachedData(Convert.ToHexStringLower(SHA256.HashData(data)), data.Length);
        var (read, fault) = DetachedReading.ReadAsync(source, detached, TestContext.Current.CancellationToken).GetAwaiter().GetResult();
        Assert.True(read is null != fault is null);
        return read?.ToArray() ?? throw new FormatException(fault);
    }

    private static async Task<int> CheckAsync(OneFile source, byte[][] entries)
    {
        await using var check = (await ExportCheck.OpenAsync(source, 0, TestContext.Current.CancellationToken))!;
        for (var i = 0; i < entries.Length; i++)
            await check.TakeAsync(i, entries[i], TestContext.Current.CancellationToken);
        return check.Findings.Count;
    }

    private static byte[] Save(AuditFold fold)
    {
        using var stream = new MemoryStream();
        using var output = new BinaryWriter(stream);
        fold.Save(output);
        return stream.ToArray();
    }

    private static AuditFold Load(AuditSubject subject, byte[] saved)
    {
        using var input = new BinaryReader(new MemoryStream(saved));
        var fold = new AuditFold(subject);
        fold.Load(input);
        return fold;
    }

    /// <summary>A log with one file, which is its export too and comes in pieces.</summary>
    private sealed class OneFile(byte[] file) : ILogSource
    {
        public string Name => "a log";

        public bool IsCopy => false;

        public Task<Stream?> ExportAsync(long from, CancellationToken cancellationToken) => Task.FromResult<Stream?>(new Pieces(file));

        public Task<byte[]?> ReadAsync(string path, CancellationToken cancellationToken) => Task.FromResult<byte[]?>(file);

        public ValueTask<byte[]?> ReadAsync(TileId tile, CancellationToken cancellationToken) => ValueTask.FromResult<byte[]?>(null);

        public Task<JsonElement?> AskAsync(string query, object variables, CancellationToken cancellationToken)
        {
            try
            {
                return Task.FromResult<JsonElement?>(JsonElement.Parse(file));
            }
            catch (JsonException exception)
            {
                throw new FormatException(exception.Message, exception);
            }
        }

        public void Dispose()
        {
        }
    }

    private sealed class Pieces(byte[] bytes) : MemoryStream(bytes)
    {
        private int _next;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, 1 + (_next++ * 97 % 4_096))], cancellationToken);
    }
}
