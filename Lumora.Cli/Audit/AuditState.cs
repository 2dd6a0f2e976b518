using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Lumora.Chain.Blobs;
using Lumora.Chain.Notes;
using Lumora.Chain.Verification;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;
using Lumora.Domain.Merkle;

namespace Lumora.Cli.Audit;

/// <summary>
/// What an audit leaves behind: the checkpoint that it is about, the tree's edge where it has come to, and what it has folded until there. A
/// clean one has come to the checkpoint's end; one that is not over keeps the same in a file beside it, in case it is broken off.
/// </summary>
/// <param name="Shard">The log's shard.</param>
/// <param name="Key">The key that the auditor trusts and that has signed the note.</param>
/// <param name="EpochSeconds">How long epochs were supposed to be.</param>
/// <param name="Note">The signed checkpoint, verbatim.</param>
/// <param name="From">Where it was got.</param>
/// <param name="At">When.</param>
/// <param name="Edge">The right edge of its tree.</param>
internal sealed record AuditState(
    string Shard, VerifierKey Key, EpochLength EpochSeconds, byte[] Note, string From, DateTimeOffset At, TreeEdge Edge)
{
    private const string CleanFile = "audit.state";
    private const string PartFile = "audit.part";
    private const string Format = "lumora-audit-state/2\n";

    /// <summary>The checkpoint of <see cref="Note"/>.</summary>
    public Checkpoint Checkpoint { get; private init; } = NoteVerifier.VerifyCheckpoint(Note, Key).Checkpoint;

    private bool IsSignedBy(TrustedKey key)
    {
        try
        {
            return NoteVerifier.VerifyCheckpoint(Note, key.Keys, []).Checkpoint == Checkpoint;
        }
        catch (VerificationException)
        {
            return false;
        }
    }

    /// <summary>Reads the state in <paramref name="folder"/> and what was folded; null when there is none.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="isPart">That of an audit that was broken off, instead of the last clean one.</param>
    /// <param name="subject">What is audited.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="UnableException">It is damaged, or another log's.</exception>
    public static async Task<(AuditState State, AuditFold Fold)?> ReadAsync(
        string folder, bool isPart, AuditSubject subject, CancellationToken cancellationToken)
    {
        var name = isPart ? PartFile : CleanFile;
        return await new FolderBlobStore(folder).ReadAsync(name, cancellationToken) is { } bytes
            ? Parse(bytes, Path.Combine(folder, name), isPart, subject)
            : null;
    }

    /// <summary>Reads the bytes of <paramref name="file"/>; the rest as <see cref="ReadAsync"/>.</summary>
    /// <exception cref="UnableException">It is damaged, or another log's.</exception>
    public static (AuditState State, AuditFold Fold) Parse(byte[] bytes, string file, bool isPart, AuditSubject subject)
    {
        var (shard, key, epochs) = (subject.Shard, subject.Key, subject.Epochs);
        var body = bytes.AsMemory(0, Math.Max(0, bytes.Length - SHA256.HashSizeInBytes));
        if (!bytes.AsSpan().StartsWith(Encoding.ASCII.GetBytes(Format)) || !SHA256.HashData(body.Span).AsSpan().SequenceEqual(bytes.AsSpan(body.Length)))
            throw new UnableException($"{file} is damaged, or no state of this version of lumora. Delete it to audit from the first entry on.");
        try
        {
            using var stream = new MemoryStream(bytes, Format.Length, body.Length - Format.Length, writable: false);
            using var input = new BinaryReader(stream);
            var state = Header(input);
            // The key that the state names may have been replaced since: what counts is that one of ours has signed.
            if (state.Shard != shard || !state.IsSignedBy(key))
                throw new UnableException($"{file} is of the log {state.Shard} with the key {state.Key}, not of {shard} with {key.Names}. Give another --state folder for each log.");
            if (state.EpochSeconds != epochs)
                throw new UnableException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{file} was made with epochs of {state.EpochSeconds.Seconds} s{(state.EpochSeconds.IsKnown ? "" : ", by default")}. Give the same --epoch-seconds, or delete it."));
            if (isPart)
                state.Edge.MustHold();
            else
                state.Edge.MustHave(state.Checkpoint.Root);
            var fold = new AuditFold(subject);
            fold.Load(input);
            return stream.Position == stream.Length
                ? (state, fold)
                : throw new InvalidDataException("Bytes follow its last part.");
        }
        catch (Exception exception) when (exception is FormatException or VerificationException or InvalidDataException or IOException
            or ArgumentException or System.Text.Json.JsonException or KeyNotFoundException)
        {
            throw new UnableException($"{file} is damaged: {exception.Message} Delete it to audit from the first entry on.", exception);
        }
    }

    /// <summary>Writes state and fold into <paramref name="folder"/>: all of it or, after a crash, what was there before.</summary>
    public Task WriteAsync(string folder, bool isPart, AuditFold fold, CancellationToken cancellationToken) =>
        new FolderBlobStore(folder).ReplaceAsync(isPart ? PartFile : CleanFile, ToBytes(fold), cancellationToken);

    /// <summary>The file of this state and of what was folded.</summary>
    public ReadOnlyMemory<byte> ToBytes(AuditFold fold)
    {
        using var stream = new MemoryStream();
        stream.Write(Encoding.ASCII.GetBytes(Format));
        using (var output = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true))
        {
            output.Write(Shard);
            output.Write(Key.ToString());
            output.Write(EpochSeconds.Seconds);
            output.Write(EpochSeconds.IsKnown);
            output.WriteList(Note, output.Write);
            output.Write(From);
            output.Write(At.UtcTicks);
            output.Write(Edge.Size);
            output.WriteList(Edge.Levels, level => output.WriteList(level, Hash));
            output.WriteList(Edge.Peaks, Hash);
            fold.Save(output);

            void Hash(MerkleHash hash) => output.Write(hash.ToArray());
        }

        stream.Write(SHA256.HashData(stream.GetBuffer().AsSpan(0, (int)stream.Length)));
        return stream.GetBuffer().AsMemory(0, (int)stream.Length);
    }

    /// <summary>Removes what an audit that was broken off has left.</summary>
    public static Task RemovePartAsync(string folder, CancellationToken cancellationToken) =>
        new FolderBlobStore(folder).DeleteAsync(PartFile, cancellationToken);

    private static AuditState Header(BinaryReader input)
    {
        var (shard, key) = (input.ReadString(), VerifierKey.Parse(input.ReadString()));
        var epochs = new EpochLength(input.ReadInt32(), input.ReadBoolean());
        byte[] note = [.. input.ReadList(input.ReadByte)];
        var (from, at) = (input.ReadString(), new DateTimeOffset(input.ReadInt64(), TimeSpan.Zero));
        var size = input.ReadInt64();
        var levels = input.ReadList<IReadOnlyList<MerkleHash>>(() => input.ReadList(Hash));
        return new AuditState(shard, key, epochs, note, from, at, new TreeEdge(size, levels, input.ReadList(Hash)));

        MerkleHash Hash() => new(input.ReadBytes(MerkleHash.Size));
    }
}
