using System.Globalization;
using System.Net;
using System.Text;
using Lumora.Chain.Merkle;
using Lumora.Chain.Notes;
using Lumora.Chain.Tiles;
using Lumora.Chain.Verification;
using Lumora.Chain.Witnesses;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Witnessing;

/// <summary>A witness did not cosign; the message says why.</summary>
public sealed class WitnessRefusedException(string message) : Exception(message);

/// <summary>Asks one witness for cosignatures of one log (C2SP tlog-witness). Not safe for two threads.</summary>
/// <param name="http">Has a limit on the length of answers; the time limit is the caller's token.</param>
/// <param name="witness">Whom, with its address.</param>
public sealed class WitnessClient(HttpClient http, PolicyWitness witness)
{
    // Once for the size that is not known yet, once more when another process of ours was served in between.
    private const int AttemptsMax = 3;
    private const int ReasonCharactersMax = 200;

    private long _size;

    private string Prefix => witness.Url!.AbsoluteUri.TrimEnd('/');

    /// <summary>Gets the cosignature of a checkpoint, with a proof from the last one that the witness has cosigned.</summary>
    /// <exception cref="WitnessRefusedException">The witness does not cosign it, or its cosignature is bad.</exception>
    /// <exception cref="HttpRequestException">It cannot be reached.</exception>
    /// <exception cref="TileMissingException">The proof cannot be made.</exception>
    public async Task<NoteSignature> CosignAsync(
        Checkpoint checkpoint, byte[] note, ITileReader tiles, CancellationToken cancellationToken)
    {
        for (var attempt = 1; attempt <= AttemptsMax; attempt++)
        {
            // It may have lost its state, or have been replaced.
            var old = Math.Min(_size, checkpoint.Size);
            var request = new AddCheckpointRequest(old, await ProofAsync(old, checkpoint.Size, tiles, cancellationToken), note);
            using var content = new ByteArrayContent(request.ToBytes());
            using var response = await http.PostAsync(new Uri($"{Prefix}/add-checkpoint"), content, cancellationToken);
            var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            if (response.StatusCode == HttpStatusCode.OK)
            {
                var signature = Read(note, body);
                _size = checkpoint.Size;
                return signature;
            }

            if (response.StatusCode != HttpStatusCode.Conflict
                || response.Content.Headers.ContentType?.MediaType != Witness.SizeType)
                throw new WitnessRefusedException($"it answered {(int)response.StatusCode}: {Reason(body)}");
            _size = SizeOf(body);
            if (_size > checkpoint.Size)
                throw new WitnessRefusedException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"it has cosigned {_size} leaves already, more than the {checkpoint.Size} that are signed here: was this log set back?"));
        }

        throw new WitnessRefusedException("it names another last size each time");
    }

    /// <summary>The last checkpoint that it shows of the log <paramref name="origin"/>, if one of <paramref name="keys"/> signed it.</summary>
    /// <exception cref="HttpRequestException">It cannot be reached.</exception>
    public async Task<Checkpoint?> NewestAsync(string origin, IReadOnlyList<VerifierKey> keys, CancellationToken cancellationToken) =>
        (await ShownAsync(origin, keys, cancellationToken))?.Checkpoint;

    /// <summary>The same with the note that it shows.</summary>
    /// <exception cref="HttpRequestException">It cannot be reached.</exception>
    public async Task<(Checkpoint Checkpoint, byte[] Note)?> ShownAsync(
        string origin, IReadOnlyList<VerifierKey> keys, CancellationToken cancellationToken)
    {
        using var response = await http.GetAsync(new Uri($"{Prefix}/{Witness.HashOf(origin)}/checkpoint"), cancellationToken);
        if (!response.IsSuccessStatusCode)
            return null;
        try
        {
            var note = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            return (NoteVerifier.VerifyCheckpoint(note, keys, []).Checkpoint, note);
        }
        catch (Exception exception) when (exception is FormatException or VerificationException)
        {
            // What the log has not signed says nothing about the log.
            return null;
        }
    }

    private static async Task<IReadOnlyList<MerkleHash>> ProofAsync(
        long old, long size, ITileReader tiles, CancellationToken cancellationToken) =>
        old == 0 || old == size ? [] : await new TreeReader(tiles, size).ConsistencyAsync(old, cancellationToken);

    /// <summary>"the client MAY concatenate it to the checkpoint, and use a note verification function".</summary>
    private NoteSignature Read(byte[] note, byte[] body)
    {
        try
        {
            var answered = SignedNote.Parse([.. note, .. body]);
            NoteVerifier.Verify(answered, [witness.Key]);
            return answered.Signatures.Last(line => line.IsOf(witness.Key));
        }
        catch (Exception exception) when (exception is FormatException or VerificationException)
        {
            throw new WitnessRefusedException($"its answer holds no good cosignature by {witness.Key.Name}: {exception.Message}");
        }
    }

    private static long SizeOf(byte[] body)
    {
        var text = Encoding.ASCII.GetString(body);
        return text.EndsWith('\n') && StrictText.TryInteger(text[..^1], out var size)
            ? size
            : throw new WitnessRefusedException("it names no last size");
    }

    private static string Reason(byte[] body)
    {
        // A stranger's text, for the operator's log: one line of printable characters.
        var text = Encoding.UTF8.GetString(body);
        return new string([.. text.Take(ReasonCharactersMax).Select(c => char.IsControl(c) ? ' ' : c)]).Trim();
    }
}
