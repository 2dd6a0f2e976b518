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

    /// <summary>Seals <paramref name="value"/> for <paramref name="subject"/>, making its key when there is none.</summary>
    public Sealed Seal(string subject, string field, string value)
    {
        var key = SecretFile.ReadOrCreate(FileOf(subject), () => RandomNumberGenerator.GetBytes(Sealed.KeyLength));
        try
        {
            return Sealed.Seal(key, subject, field, value, RandomNumberGenerator.Fill);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>The sealed value, or null when there is none or the subject's key is erased.</summary>
    public string? Open(string subject, string field, Sealed? box)
    {
        var file = FileOf(subject);
        if (box is null || !File.Exists(file))
            return null;
        var key = SecretFile.Read(file);
        try
        {
            return box.Open(key, subject, field);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>Destroys the subject's key, and with it all its sealed fields, for ever. True when there was one.</summary>
    public bool Erase(string subject)
    {
        var file = FileOf(subject);
        if (!File.Exists(file))
            return false;
        // Overwriting helps on media that write in place; on others it does no harm.
        using (var stream = new FileStream(file, FileMode.Open, FileAccess.Write))
        {
            stream.Write(RandomNumberGenerator.GetBytes(Sealed.KeyLength));
            stream.Flush(flushToDisk: true);
        }

        File.Delete(file);
        return true;
    }

    /// <summary>The id becomes a file name, so nothing but an id is taken.</summary>
    private string FileOf(string subject)
    {
        Check.That(TypeId.IsValid(Participant.IdPrefix, subject));
        return Path.Combine(_folder, subject);
    }
}
