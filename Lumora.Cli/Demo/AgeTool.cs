using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Lumora.Chain.Cryptography;
using Lumora.Domain.Cryptography;
using Lumora.Projections.Hosting;

namespace Lumora.Cli.Demo;

/// <summary>The buyer's side of the age format: an identity file, and the ordinary <c>age</c> tool where there is one.</summary>
internal static class AgeTool
{
    /// <summary>An identity file and its recipient.</summary>
    /// <param name="File">Path, as <c>age --identity</c> reads it.</param>
    /// <param name="Recipient"><c>age1…</c>.</param>
    public sealed record Identity(string File, string Recipient);

    /// <summary>The identity of <paramref name="folder"/>, made at the first call.</summary>
    public static Identity IdentityIn(string folder)
    {
        var file = Path.Combine(folder, "age-identity.txt");
        var text = Encoding.ASCII.GetString(SecretFile.ReadOrCreate(
            file, () => Encoding.ASCII.GetBytes(AgeIdentity.Generate(RandomNumberGenerator.Fill).ToSecretText() + "\n")));
        return new Identity(file, AgeIdentity.Parse(text.Trim()).Recipient(new Curve25519()).Text);
    }

    /// <summary>Decrypts a file and says with what.</summary>
    /// <exception cref="DemoFailedException">The file cannot be decrypted.</exception>
    public static async Task<string> DecryptAsync(
        string identityFile, string encrypted, string plain, CancellationToken cancellation)
    {
        try
        {
            using var age = Process.Start(new ProcessStartInfo("age")
            {
                UseShellExecute = false,
                RedirectStandardError = true,
                ArgumentList = { "--decrypt", "--identity", identityFile, "--output", plain, encrypted },
            })!;
            var error = await age.StandardError.ReadToEndAsync(cancellation);
            await age.WaitForExitAsync(cancellation);
            return age.ExitCode == 0 ? "the age tool" : throw new DemoFailedException($"age: {error.Trim()}");
        }
        catch (Win32Exception)
        {
            await using var source = File.OpenRead(encrypted);
            await using var target = File.Create(plain);
            var identity = AgeIdentity.Parse((await File.ReadAllTextAsync(identityFile, cancellation)).Trim());
            await AgeDecryptor.DecryptAsync(source, target, [identity], new Curve25519(), cancellation);
            return "lumora (the age tool is not installed here)";
        }
    }
}
