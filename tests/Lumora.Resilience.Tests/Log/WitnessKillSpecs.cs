using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using Lumora.Chain.Merkle;
using Lumora.Chain.Notes;
using Lumora.Chain.Tiles;
using Lumora.Chain.Verification;
using Lumora.Chain.Witnesses;
using Lumora.Chain.Witnessing;
using Lumora.Domain.Merkle;
using Lumora.Resilience.Tests.Infrastructure;

namespace Lumora.Resilience.Tests.Log;

/// <summary>
/// The witness dies by kill −9 while it is being asked, so also between writing a checkpoint and answering; then it must know all that it
/// has cosigned and nothing that it was not asked for.
/// </summary>
public sealed class WitnessKillSpecs : IDisposable
{
    private const int Kills = 5;
    private const int BetweenKills = 40;

    private readonly string _state = Path.Combine(Path.GetTempPath(), $"lumora-witness-kill-{Guid.NewGuid():N}");
    private readonly NoteSigner _log = new("killed.example/log", SignatureKind.Ed25519, new byte[32]);
    private readonly GrowingLog _leaves = new();

    /// <summary>Sizes whose cosignature has arrived.</summary>
    private readonly ConcurrentBag<long> _cosigned = [];

    private long _asked;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _log.Dispose();
        Directory.Delete(_state, recursive: true);
    }

    [Fact]
    public async Task After_kills_between_write_and_answer_the_witness_goes_on_from_the_last_size_that_it_has_cosigned()
    {
        var address = HostProcess.FreeAddress();
        string? key = null;
        for (var kill = 1; kill <= Kills; kill++)
        {
            using var http = new HttpClient();
            await using var witness = await WitnessProcess.StartAsync(address, _state, _log.Verifier);
            Assert.Equal(key ??= witness.Key, witness.Key);
            // Nothing that was answered is forgotten, nothing that was not asked is known.
            var size = await LastAsync(http, witness);
            Assert.InRange(size, _cosigned.DefaultIfEmpty(0).Max(), _asked);
            var target = _cosigned.Count + BetweenKills + kill;
            var asking = AskUntilItDiesAsync(http, witness, size);
            while (_cosigned.Count < target)
                await Task.Delay(1, Ct);
            await witness.KillAsync();
            await asking;
        }

        using var client = new HttpClient();
        await using var end = await WitnessProcess.StartAsync(address, _state, _log.Verifier);
        var cosigned = await LastAsync(client, end);
        using var answer = await PostAsync(client, end, cosigned, cosigned + 1);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(0, await end.TerminateAsync());
        Assert.Equal(_cosigned.Count, _cosigned.Distinct().Count());
    }

    private async Task AskUntilItDiesAsync(HttpClient http, WitnessProcess witness, long last)
    {
        try
        {
            while (true)
            {
                _asked = last + 3;
                using var answer = await PostAsync(http, witness, last, _asked);
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
                var note = SignedNote.Parse([.. Note(_asked), .. await answer.Content.ReadAsByteArrayAsync(Ct)]);
                Assert.Equal(2, NoteVerifier.Verify(note, [_log.Verifier, VerifierKey.Parse(witness.Key)]).Count);
                _cosigned.Add(last = _asked);
            }
        }
        catch (Exception died) when (died is HttpRequestException or IOException)
        {
            // What was not answered may be cosigned or not.
        }
    }

    /// <summary>The last size, from the answer to a request that cannot be right.</summary>
    private async Task<long> LastAsync(HttpClient http, WitnessProcess witness)
    {
        using var answer = await PostAsync(http, witness, old: GrowingLog.Leaves, GrowingLog.Leaves);
        Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
        Assert.Equal(Witness.SizeType, answer.Content.Headers.ContentType!.MediaType);
        return long.Parse((await answer.Content.ReadAsStringAsync(Ct)).TrimEnd('\n'), CultureInfo.InvariantCulture);
    }

    private async Task<HttpResponseMessage> PostAsync(HttpClient http, WitnessProcess witness, long old, long size)
    {
        var proof = old == 0 || old == size ? [] : await new TreeReader(_leaves.At(size), size).ConsistencyAsync(old, Ct);
        using var content = new ByteArrayContent(new AddCheckpointRequest(old, proof, Note(size)).ToBytes());
        return await http.PostAsync(new Uri(witness.Address, "/add-checkpoint"), content, Ct);
    }

    private byte[] Note(long size)
    {
        var text = new Checkpoint(_log.Verifier.Name, size, _leaves.RootAt(size)).ToText();
        return new SignedNote(text, [_log.Sign(text)]).ToBytes();
    }

    /// <summary>A log in memory, at any of its sizes.</summary>
    private sealed class GrowingLog
    {
        public const int Leaves = 4_000;

        private readonly MerkleHash[] _hashes = [.. Enumerable.Range(0, Leaves).Select(i =>
            MerkleHash.OfLeaf(Encoding.ASCII.GetBytes(i.ToString(CultureInfo.InvariantCulture))))];

        public MerkleHash RootAt(long size)
        {
            var range = new CompactRange();
            foreach (var hash in _hashes.AsSpan(0, (int)size))
                range.Append(hash);
            return range.Root();
        }

        public MemoryTiles At(long size)
        {
            var tiles = new MemoryTiles();
            var builder = new TileBuilder();
            for (var i = 0; i < size; i++)
                builder.Append([], _hashes[i], (tile, bytes) => tiles[tile] = bytes);
            foreach (var (tile, bytes) in builder.Partials())
                tiles[tile] = bytes;
            return tiles;
        }
    }

    private sealed class MemoryTiles : Dictionary<TileId, byte[]>, ITileReader
    {
        public ValueTask<byte[]?> ReadAsync(TileId tile, CancellationToken cancellationToken) =>
            ValueTask.FromResult(this.GetValueOrDefault(tile));
    }
}
