using System.Security.Cryptography;
using Lumora.Domain.Kernel;
using Lumora.Domain.Tasks;
using Lumora.Projections.Hosting;

namespace Lumora.Api.Tasks;

/// <summary>
/// Results on disk: <c>uploads/{leaseId}</c> grows by chunks; when it is whole it becomes <c>results/{sha256}</c>
/// by one rename. Both hold ciphertext only.
/// </summary>
internal sealed class ResultFiles(LumoraHome home)
{
    /// <summary>Bytes that have arrived under <paramref name="leaseId"/>.</summary>
    public long LengthOf(string leaseId)
    {
        var file = new FileInfo(UploadPath(leaseId));
        return file.Exists ? file.Length : 0;
    }

    /// <summary>Adds a chunk at <paramref name="offset"/>, which must be where the file ends.</summary>
    /// <returns>The new length, or <c>wrong_offset</c>, <c>result_too_large</c>, <c>busy</c>.</returns>
    public async Task<Result<long>> AppendAsync(
        string leaseId, long offset, ReadOnlyMemory<byte> chunk, CancellationToken ct)
    {
        FileStream file;
        try
        {
            file = new FileStream(UploadPath(leaseId), FileMode.OpenOrCreate, FileAccess.Write, FileShare.None);
        }
        catch (IOException)
        {
            return new Rejection("busy", "Another chunk of this lease is being written.");
        }

        await using (file)
        {
            if (file.Length != offset)
                return new Rejection("wrong_offset", $"{file.Length} bytes have arrived.", "Upload-Offset");
            if (offset + chunk.Length > NodeProtocol.CiphertextBytesMax)
            {
                return new Rejection(
                    "result_too_large", $"A result has at most {NodeProtocol.CiphertextBytesMax} bytes.");
            }

            file.Seek(offset, SeekOrigin.Begin);
            await file.WriteAsync(chunk, ct);
            return file.Length;
        }
    }

    /// <summary>Checks that the upload is whole and keeps it under its hash. Safe to repeat.</summary>
    /// <returns>Null when it is kept, else <c>upload_incomplete</c> or <c>upload_hash_wrong</c>.</returns>
    public async Task<Rejection?> KeepAsync(string leaseId, TaskResult result, CancellationToken ct)
    {
        var (upload, kept) = (UploadPath(leaseId), ResultPath(result.CiphertextSha256));
        if (!File.Exists(upload) && File.Exists(kept))
            return null;
        if (LengthOf(leaseId) != result.CiphertextBytes)
            return new Rejection("upload_incomplete", $"{LengthOf(leaseId)} bytes have arrived.", "ciphertextBytes");
        await using (var file = new FileStream(upload, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
        {
            var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, ct));
            if (hash != result.CiphertextSha256)
                return new Rejection("upload_hash_wrong", $"What arrived hashes to {hash}.", "ciphertextSha256");
            DiskFlush.ToDisk(file);
        }

        File.Move(upload, kept, overwrite: true);
        return null;
    }

    /// <summary>Throws away what arrived under a lease that has ended.</summary>
    public void Discard(string leaseId) => File.Delete(UploadPath(leaseId));

    /// <summary>Opens the ciphertext with this hash.</summary>
    public Stream Open(string sha256) => new FileStream(
        ResultPath(sha256), FileMode.Open, FileAccess.Read, FileShare.Read, 65_536, useAsync: true);

    /// <summary>An empty file for plaintext while it is read; gone when it is closed.</summary>
    public Stream Scratch() => new FileStream(
        Path.Combine(home.Folder("curator"), $"{Guid.NewGuid():N}.tmp"), FileMode.CreateNew, FileAccess.ReadWrite,
        FileShare.None, 65_536, FileOptions.DeleteOnClose | FileOptions.Asynchronous);

    // Ids and hashes come from outside: only their exact forms may become part of a path.
    private string UploadPath(string leaseId)
    {
        Check.That(TypeId.IsValid("lease", leaseId));
        return Path.Combine(home.Folder("uploads"), leaseId);
    }

    private string ResultPath(string sha256)
    {
        Check.That(sha256.Length == 64 && sha256.All(char.IsAsciiHexDigitLower));
        return Path.Combine(home.Folder("results"), sha256);
    }
}
