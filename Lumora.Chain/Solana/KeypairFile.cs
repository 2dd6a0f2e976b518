using System.Globalization;
using System.Text.Json;
using Lumora.Projections.Hosting;

namespace Lumora.Chain.Solana;

/// <summary>
/// Key files as solana-keygen writes them: a JSON array of 64 numbers. A file that others may read is refused, as SSH
/// does; messages name the file and never its content.
/// </summary>
public static class KeypairFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const int FileBytesMax = 4096;

    /// <summary>Reads a key file.</summary>
    public static Keypair Load(string path)
    {
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & ~OwnerOnly) != UnixFileMode.None)
            throw new UnauthorizedAccessException($"{path} may be read by others. Run: chmod 600 {path}");
        if (new FileInfo(path).Length > FileBytesMax)
            throw new FormatException($"{path} is no solana-keygen file.");
        return Parse(File.ReadAllText(path), path);
    }

    /// <summary>Reads the JSON of a key file; <paramref name="source"/> names it in errors.</summary>
    public static Keypair Parse(string json, string source)
    {
        // As numbers, not as byte[], which System.Text.Json would read as base64.
        var numbers = ReadNumbers(json);
        if (numbers is null || numbers.Any(number => number is < 0 or > byte.MaxValue))
            throw new FormatException($"{source} is no solana-keygen key: 64 numbers are expected.");
        return Keypair.FromSecret(Array.ConvertAll(numbers, number => (byte)number));
    }

    /// <summary>Reads the file, or makes a new key and writes it with mode 0600 when there is none.</summary>
    public static Keypair LoadOrCreate(string path)
    {
        if (File.Exists(path))
            return Load(path);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var keypair = Keypair.Generate();
        var temporary = $"{path}.{Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}.tmp";
        Write(temporary, keypair);
        try
        {
            // Without overwriting: when two processes race, both end with the key of the first.
            File.Move(temporary, path, overwrite: false);
            return keypair;
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(temporary);
            return Load(path);
        }
    }

    private static void Write(string path, Keypair keypair)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerOnly;
        using var stream = new FileStream(path, options);
        var numbers = keypair.ToSecret().Select(value => value.ToString(CultureInfo.InvariantCulture));
        stream.Write(System.Text.Encoding.ASCII.GetBytes($"[{string.Join(',', numbers)}]"));
        DiskFlush.ToDisk(stream);
    }

    private static int[]? ReadNumbers(string json)
    {
        try
        {
            return JsonSerializer.Deserialize<int[]>(json);
        }
        catch (JsonException)
        {
            // Its message may quote what it read, which here is a secret.
            return null;
        }
    }
}
