using System.Security.Cryptography;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Kernel;
using Lumora.Domain.Participants;
using Lumora.Projections.Hosting;

namespace Lumora.Projections.Participants;

/// <summary>
/// The keys of sealed fields: one file of mode 0600 a subject, in a folder apart from the database, so that no backup
/// of the database revives what was erased (docs/sealed-fields.md).
/// </summary>
public sealed class SubjectKeys(LumoraHome home)
{
    private readonly string _folder = home.Folder("subject-keys");

    /// <summary>Seals the first value of a new <paramref name="subject"/>, whose key is on disk when this returns.</summary>
    /// <exception cref="InvalidOperationException">The subject is not new: it has a key.</exception>
    public Sealed SealFirst(string subject, string field, string value)
    {
        var key = RandomNumberGenerator.GetBytes(Sealed.KeyLength);
        if (!SecretFile.TryCreate(FileOf(subject), key))
            throw new InvalidOperationException($"The subject {subject} has a key already.");
        return SealWith(key, subject, field, value);
    }

    /// <summary>
    /// Seals <paramref name="value"/> for <paramref name="subject"/>; null when it has no key. None is made here: whoever
    /// was being erased meanwhile must not get a new one.
    /// </summary>
    public Sealed? Seal(string subject, string field, string value) =>
        Read(subject) is { } key ? SealWith(key, subject, field, value) : null;

    /// <summary>The sealed value, or null when there is none or the subject's key is erased.</summary>
    public string? Open(string subject, string field, Sealed? box)
    {
        if (box is null || Read(subject) is not { } key)
            return null;
        try
        {
            return box.Open(key, subject, field);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>
    /// Destroys the subject's key, and with it all its sealed fields, for ever; a loss of power afterwards does not bring it
    /// back. True when there was one.
    /// </summary>
    /// <exception cref="IOException">It could not be destroyed.</exception>
    public bool Erase(string subject)
    {
        var file = FileOf(subject);
        if (!File.Exists(file))
            return false;
        try
        {
            // Overwriting helps on media that write in place; on others it does no harm.
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Write);
            stream.Write(RandomNumberGenerator.GetBytes(Sealed.KeyLength));
            DiskFlush.ToDisk(stream);
        }
        catch (FileNotFoundException)
        {
            // Another host of this home was faster.
            return false;
        }

        File.Delete(file);
        FolderFlush.ToDisk(_folder);
        return true;
    }

    private byte[]? Read(string subject)
    {
        var file = FileOf(subject);
        return File.Exists(file) ? SecretFile.Read(file) : null;
    }

    private static Sealed SealWith(byte[] key, string subject, string field, string value)
    {
        try
        {
            return Sealed.Seal(key, subject, field, value, RandomNumberGenerator.Fill);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>The id becomes a file name, so nothing but an id is taken.</summary>
    private string FileOf(string subject)
    {
        Check.That(TypeId.IsValid(Participant.IdPrefix, subject));
        return Path.Combine(_folder, subject);
    }
}
