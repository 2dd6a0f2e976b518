using System.Security.Cryptography;
using Lumora.Chain.Tests.Fuzzing;
using Lumora.Cli.Audit;
using Lumora.Cli.Monitor;
using Lumora.Cli.Reports;

namespace Lumora.Cli.Tests.Fuzzing;

/// <summary>
/// Fuzzers of what an audit and a monitor keep between two runs. Whatever stands in such a file, it is read as far as its bytes go or
/// refused with a message that names it, and what was read can be gone on with.
/// </summary>
public sealed class StateFuzzTests
{
    private const string File = "the state";

    private static readonly DateTimeOffset Now = new(2026, 1, 31, 23, 59, 59, TimeSpan.Zero);
    private static readonly Type[] Refusals = [typeof(UnableException)];

    /// <summary>The checksum at the end finds damage of the disk.</summary>
    [Fact]
    public async Task States_of_an_audit_that_were_damaged()
    {
        using var network = new AuditedNetwork();
        Fuzz.Parser(
            [await StateAsync(network, network.Count)],
            input => Write(Read(network, input, isPart: false)), Refusals, iterations: 300);
    }

    /// <summary>Behind a good checksum everything is read.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task States_of_an_audit(bool isPart)
    {
        using var network = new AuditedNetwork();
        // In the middle a purchase is not settled, and at the end the second epoch is not closed.
        var states = new List<byte[]>();
        foreach (var count in (int[])[1, network.Count / 2, network.Count - 4, network.Count])
            states.Add(WithoutSum(await StateAsync(network, count)));
        var last = network.Count - 1;
        Fuzz.Parser(
            [.. states],
            input =>
            {
                var written = Write(Read(network, Summed(input), isPart));
                // What was taken is kept: lists in one spelling, doubles once.
                var (state, fold) = Read(network, written, isPart);
                Assert.Equal(written, Write((state, fold)));
                GoOn(fold, network.Logged(last));
                return states.Any(input.SequenceEqual) ? WithoutSum(written) : input;
            },
            Refusals, iterations: 1_500);
    }

    [Fact]
    public async Task States_of_a_monitor()
    {
        using var network = new AuditedNetwork();
        var states = new List<byte[]>();
        foreach (var count in (int[])[3, network.Count])
        {
            var (note, edge) = await network.GrowAsync(count);
            states.Add(new MonitorState(
                MonitorState.FormatName, AuditedNetwork.Shard, network.Key.Key.ToString(), System.Text.Encoding.UTF8.GetString(note), "here", Now, [], [],
                2, [new WaitingEntry(2, Now)], "signature").With(edge).ToBytes());
        }

        Fuzz.Parser(
            [.. states],
            input =>
            {
                var (state, edge) = MonitorState.Parse(input, File, AuditedNetwork.Shard, network.Key);
                Assert.All(state.Waiting, Assert.NotNull);
                var written = state.With(edge).ToBytes();
                Assert.Equal(written, MonitorState.Parse(written, File, AuditedNetwork.Shard, network.Key).State.ToBytes());
                return states.Any(input.SequenceEqual) ? written : input;
            },
            Refusals, allocatedPerByte: 400);
    }

    private static async Task<byte[]> StateAsync(AuditedNetwork network, int count)
    {
        var (note, edge) = await network.GrowAsync(count);
        return Write((new AuditState(AuditedNetwork.Shard, network.Key.Key, EpochLength.Default, note, "here", Now, edge), network.Fold()));
    }

    private static (AuditState State, AuditFold Fold) Read(AuditedNetwork network, byte[] file, bool isPart) =>
        AuditState.Parse(file, File, isPart, network.Subject);

    private static byte[] Write((AuditState State, AuditFold Fold) kept) => kept.State.ToBytes(kept.Fold).ToArray();

    /// <summary>An audit that goes on finds faults, or none, and says so.</summary>
    private static void GoOn(AuditFold fold, LoggedEvent next)
    {
        var verdict = new AuditVerdict();
        verdict.Findings.AddRange(fold.Take(next));
        FoldClaims.Add(verdict, fold, EpochLength.Default);
        Assert.NotEmpty(verdict.Claims);
    }

    private static byte[] WithoutSum(byte[] file) => file[..^SHA256.HashSizeInBytes];

    private static byte[] Summed(byte[] body) => [.. body, .. SHA256.HashData(body)];
}
