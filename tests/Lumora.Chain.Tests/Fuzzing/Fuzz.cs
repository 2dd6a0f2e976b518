using System.Diagnostics;
using System.Text;
using CsCheck;

namespace Lumora.Chain.Tests.Fuzzing;

/// <summary>
/// Throws random and mutated inputs at a parser. It may refuse by its documented exceptions and in no other way, must not take
/// memory or time out of proportion to its input, and what it takes it must write again as the same bytes.
/// </summary>
internal sealed class Fuzz
{
    private const int LongInputBytes = 150_000;

    // Exceptions and buffers, whatever the input is.
    private const long AllocatedMin = 128 * 1024;

    private static readonly TimeSpan OneInputMax = TimeSpan.FromSeconds(20);

    private static readonly byte[][] Tokens =
    [
        .. new[]
        {
            "\n", "\n\n", "\r\n", " ", "\t", "\0", "+", "-", "=", "==", "/", ".p/", "x001/", "0", "00", "-1", "1e3", "9223372036854775808", "\u2014 ", "\u00a0", "\u0085",
            "\ufeff", "A", "AAAA", "index ", "extra ", "\"", "{", "}", "[", "]", ",", ":", "null", "\\u0000", "\\ud800",
        }.Select(Encoding.UTF8.GetBytes),
        [0x80], [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xFF, 0xFF, 0x03], [0x80, 0x80, 0x80, 0x80], [0xFF, 0xFF, 0xFF, 0xFF, 0x07],
    ];

    // What may stand where JSON has another value: other kinds, numbers beyond every type, text that is no Unicode, great depth.
    private static readonly byte[][] JsonValues =
    [
        .. new[]
        {
            "null", "true", "false", "0", "-1", "1.5", "1e400", "9223372036854775807", "18446744073709551616", "\"\"", "\"-1\"", "\"9223372036854775807\"", "\"x\"",
            "\"\\ud800\"", "\"\\u0000\"", "[]", "[null]", "[[]]", "{}", "{\"\":null}", new string('[', 100) + new string(']', 100),
        }.Select(Encoding.UTF8.GetBytes),
    ];

    private readonly byte[][] _seeds;
    private readonly Func<byte[], byte[]> _parseAndWrite;
    private readonly Type[] _refusals;
    private readonly long _allocatedPerByte;
    private readonly long _allocatedBeside;
    private int _taken;

    private Fuzz(byte[][] seeds, Func<byte[], byte[]> parseAndWrite, Type[] refusals, long allocatedPerByte, long allocatedBeside) =>
        (_seeds, _parseAndWrite, _refusals, _allocatedPerByte, _allocatedBeside) = (seeds, parseAndWrite, refusals, allocatedPerByte, allocatedBeside);

    /// <summary>
    /// Fuzzes with <paramref name="seeds"/>, which must be taken, as the start. <paramref name="parseAndWrite"/> reads the input
    /// and answers what it wrote again; <paramref name="refusals"/> (FormatException when empty) are the documented exceptions;
    /// <paramref name="allocatedPerByte"/> is the limit of memory, in bytes for each byte of the input; <paramref name="allocatedBeside"/>
    /// what the fuzzer itself takes for an input, for what the parser goes on from.
    /// </summary>
    public static void Parser(
        byte[][] seeds, Func<byte[], byte[]> parseAndWrite, Type[]? refusals = null, int iterations = 4_000,
        long allocatedPerByte = 200, long allocatedBeside = 0)
    {
        var fuzz = new Fuzz(seeds, parseAndWrite, refusals ?? [typeof(FormatException)], allocatedPerByte, allocatedBeside);
        foreach (var seed in seeds)
            Assert.Equal(seed, parseAndWrite(seed));
        foreach (var filler in "\n =[{/0A\0\u0080ÿ"u8.ToArray())
            fuzz.One([.. Enumerable.Repeat(filler, LongInputBytes)]);
        fuzz.Inputs().Sample(
            fuzz.One, seed: LongForm.Seed, iter: LongForm.Iterations(iterations), print: Convert.ToHexStringLower,
            writeLine: TestContext.Current.TestOutputHelper!.WriteLine);
        TestContext.Current.TestOutputHelper!.WriteLine($"{LongForm.Iterations(iterations)} inputs, {fuzz._taken} taken");
    }

    private void One(byte[] input)
    {
        var (written, allocated) = Parse(input);
        var allocatedMax = AllocatedMin + _allocatedBeside + (_allocatedPerByte * input.Length);
        // Whatever is made once for all inputs meets one of them; it is not there a second time.
        if (allocated > allocatedMax)
            (written, allocated) = Parse(input);
        Assert.True(allocated <= allocatedMax, $"{allocated} bytes allocated for {input.Length}.");
        if (written is null)
            return;
        Interlocked.Increment(ref _taken);
        Assert.Equal(input, written);
    }

    /// <summary>What was written again (null when it was refused as documented), and the bytes that were allocated meanwhile.</summary>
    private (byte[]? Written, long Allocated) Parse(byte[] input)
    {
        var (before, begin) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.GetTimestamp());
        byte[]? written = null;
        try
        {
            written = _parseAndWrite(input);
        }
        catch (Exception exception) when (_refusals.Contains(exception.GetType()))
        {
            // Refused as documented.
        }

        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(Stopwatch.GetElapsedTime(begin) < OneInputMax, "The parser takes too long.");
        return (written, allocated);
    }

    private Gen<byte[]> Inputs()
    {
        var at = Gen.Int[0, 1 << 20];
        var change = Gen.Select(Gen.Int[0, 11], at, at, Gen.Byte);
        return Gen.Frequency(
            (1, Gen.Byte.Array[0, 300]),
            (12, Gen.Select(Gen.Int[0, _seeds.Length - 1].Select(i => _seeds[i]), change.List[1, 4], (seed, changes) => changes.Aggregate(seed, Change))));
    }

    private byte[] Change(byte[] input, (int Kind, int At, int Other, byte Value) change)
    {
        var at = change.At % (input.Length + 1);
        var other = change.Other % (input.Length + 1);
        var (begin, end) = (Math.Min(at, other), Math.Max(at, other));
        var token = Tokens[change.Value % Tokens.Length];
        switch (change.Kind)
        {
            case 0 when at < input.Length:
                return With(input, at, (byte)(input[at] ^ (1 << (change.Value % 8))));
            case 1 when at < input.Length:
                return With(input, at, change.Value);
            case 2:
                return [.. input[..at], .. token, .. input[at..]];
            case 3 when at < input.Length:
                return [.. input[..at], .. token, .. input[(at + 1)..]];
            case 4:
                return [.. input[..begin], .. input[end..]];
            case 5:
                return [.. input[..end], .. input[begin..]];
            case 6:
                return input[..at];
            case 7:
                var splice = _seeds[change.Value % _seeds.Length];
                return [.. input[..at], .. splice[Math.Min(other, splice.Length)..]];
            case 8 when at < input.Length && other < input.Length:
                return With(With(input, at, input[other]), other, input[at]);
            case 9 or 10 when JsonValueBehind(input, at) is var (from, to):
                return [.. input[..from], .. JsonValues[change.Value % JsonValues.Length], .. input[to..]];
            default:
                return [.. input, .. token];
        }
    }

    /// <summary>Where, from <paramref name="at"/> on, the next value of something like JSON begins and ends; null when none does.</summary>
    private static (int From, int To)? JsonValueBehind(ReadOnlySpan<byte> input, int at)
    {
        var mark = input[at..].IndexOfAny((byte)':', (byte)'[', (byte)',');
        if (mark < 0)
            return null;
        var from = at + mark + 1;
        var (depth, isText) = (0, false);
        for (var to = from; to < input.Length; to++)
        {
            switch (input[to])
            {
                case (byte)'\\' when isText:
                    to++;
                    break;
                case (byte)'"':
                    isText = !isText;
                    break;
                case (byte)'{' or (byte)'[' when !isText:
                    depth++;
                    break;
                case (byte)'}' or (byte)']' or (byte)',' when !isText && depth == 0:
                    return (from, to);
                case (byte)'}' or (byte)']' when !isText:
                    depth--;
                    break;
            }
        }

        return null;
    }

    private static byte[] With(byte[] input, int at, byte value)
    {
        byte[] changed = [.. input];
        changed[at] = value;
        return changed;
    }
}
