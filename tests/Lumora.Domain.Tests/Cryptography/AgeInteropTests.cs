using System.ComponentModel;
using System.Diagnostics;
using Lumora.Domain.Cryptography;
using static Lumora.Domain.Tests.Cryptography.AgeFixture;

namespace Lumora.Domain.Tests.Cryptography;

/// <summary>Both ways with the ordinary <c>age</c> tool. Skipped, saying so, where it is not installed.</summary>
public sealed class AgeInteropTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lumora-age-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    [InlineData(AgePayload.ChunkLength)]
    [InlineData(2 * AgePayload.ChunkLength + 1)]
    public void The_age_tool_decrypts_what_we_encrypt(int length)
    {
        SkipWithoutAge();
        File.WriteAllText(Path("key.txt"), IdentityText + "\n");
        File.WriteAllBytes(Path("file.age"), Encrypt(Bytes(length)));
        var (exit, error) = Run("age", "-d", "-i", Path("key.txt"), "-o", Path("plain"), Path("file.age"));
        Assert.True(exit == 0, error);
        // The tool writes no file for an empty plaintext before version 1.2.
        Assert.Equal(Bytes(length), File.Exists(Path("plain")) ? File.ReadAllBytes(Path("plain")) : []);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    [InlineData(AgePayload.ChunkLength)]
    [InlineData(2 * AgePayload.ChunkLength + 1)]
    public void We_decrypt_what_the_age_tool_encrypts(int length)
    {
        SkipWithoutAge();
        File.WriteAllBytes(Path("plain"), Bytes(length));
        var (exit, error) = Run("age", "-r", RecipientText, "-o", Path("file.age"), Path("plain"));
        Assert.True(exit == 0, error);
        Assert.Equal(Bytes(length), Decrypt(File.ReadAllBytes(Path("file.age"))));
    }

    [Fact]
    public void Keys_of_age_keygen_are_ours_too()
    {
        SkipWithoutAge();
        var (exit, error) = Run("age-keygen", "-o", Path("key.txt"));
        Assert.True(exit == 0, error);
        var lines = File.ReadAllLines(Path("key.txt"));
        var identity = AgeIdentity.Parse(lines.Single(line => line.StartsWith("AGE-", StringComparison.Ordinal)));
        Assert.Contains(lines, line => line == "# public key: " + identity.Recipient(Curve));
    }

    private string Path(string name) => System.IO.Path.Combine(_folder, name);

    private static void SkipWithoutAge()
    {
        try
        {
            Run("age", "--version");
        }
        catch (Win32Exception)
        {
            Assert.Skip("The age tool is not installed (apt-get install -y age); interoperability was not tested.");
        }
    }

    private static (int Exit, string Error) Run(string command, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(command, arguments)
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, error);
    }
}
