using System.Text;
using System.Text.Json;
using Lumora.Domain.Deposits;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;

namespace Lumora.Chain.Tests.Fuzzing;

/// <summary>Fuzzers of JSON: its canonical form, and the lines that hosts send each other.</summary>
public sealed class JsonFuzzTests
{
    private static readonly DateTimeOffset At = new(2026, 1, 31, 23, 59, 59, TimeSpan.Zero);

    private static readonly byte[][] Values =
    [
        """{"a":[1,-1,0.5,1e21,5e-324,9007199254740993],"b":{"":null,"é":true},"c":"\u0000\"\\/é😀"}"""u8.ToArray(),
        """{"amount":"1500000000","at":"2026-01-31T23:59:59.000000Z","postings":[{"from":"a","to":"b"}]}"""u8.ToArray(),
        """[[[],{}],"",false]"""u8.ToArray(),
    ];

    /// <summary>The way over bytes and the way over elements say the same of everything; what comes out is its own canonical form.</summary>
    [Fact]
    public void Canonical_forms() => Fuzz.Parser(
        [.. Values.Select(value => CanonicalJson.Canonicalize(value)), .. Values],
        input =>
        {
            var (overBytes, overElements) = (Try(() => CanonicalJson.Canonicalize(input)), Try(() => CanonicalJson.Canonicalize(Parsed(input))));
            Assert.Equal(overElements, overBytes);
            if (overBytes is null)
                throw new FormatException("refused");
            Assert.Equal(overBytes, Encoding.UTF8.GetString(CanonicalJson.Canonicalize(Encoding.UTF8.GetBytes(overBytes))));
            return input;
        });

    [Fact]
    public void Requests_from_another_host() => Fuzz.Parser(
        [
            LedgerWire.Encode([new LedgerRequest(Actor.System("test"), "k", new OpenAccount("network/fees"))]),
            LedgerWire.Encode([
                new LedgerRequest(
                    Actor.System("test"), "k2", new PostTransaction("deposit", [new Posting("a", "b", new Amount(5))], new TransactionReference("deposit", "x")),
                    new CompanionEvents("deposit/x", typeof(DepositState), null, [new DepositCredited("s", 0, "p", new Amount(5), 9, At)])),
            ]),
        ],
        input =>
        {
            var written = LedgerWire.Encode(LedgerWire.DecodeRequests(input));
            Assert.Equal(written, LedgerWire.Encode(LedgerWire.DecodeRequests(written)));
            return input;
        },
        [typeof(JsonException)], allocatedPerByte: 400);

    [Fact]
    public void Answers_of_another_host() => Fuzz.Parser(
        [
            LedgerWire.Encode([new LedgerOutcome.Posted("k", 5, At, Replayed: false), new LedgerOutcome.Refused(new Rejection("busy", "Wait.", "key"), Replayed: true)]),
            LedgerWire.Encode(outcomes: null),
        ],
        input =>
        {
            var written = LedgerWire.Encode(LedgerWire.DecodeOutcomes(input));
            Assert.Equal(written, LedgerWire.Encode(LedgerWire.DecodeOutcomes(written)));
            return input;
        },
        [typeof(JsonException)], allocatedPerByte: 400);

    private static JsonElement Parsed(byte[] input)
    {
        try
        {
            return JsonElement.Parse(input);
        }
        catch (JsonException exception)
        {
            throw new FormatException(exception.Message, exception);
        }
    }

    private static string? Try(Func<byte[]> read)
    {
        try
        {
            return Encoding.UTF8.GetString(read());
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
