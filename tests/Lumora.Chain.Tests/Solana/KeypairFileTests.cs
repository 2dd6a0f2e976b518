using Lumora.Chain.Solana;

namespace Lumora.Chain.Tests.Solana;

public sealed class KeypairFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lumora-keys-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_new_key_file_is_readable_by_its_owner_only_and_gives_the_same_key_again()
    {
        var path = Path.Combine(_folder, "sub", "anchor.json");
        var made = KeypairFile.LoadOrCreate(path);
        Assert.Equal(made.PublicKey, KeypairFile.LoadOrCreate(path).PublicKey);
        Assert.Equal(64, System.Text.Json.JsonSerializer.Deserialize<int[]>(File.ReadAllText(path))!.Length);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Fact]
    public void A_key_file_that_others_may_read_is_refused()
    {
        if (OperatingSystem.IsWindows())
            return;
        var path = Path.Combine(_folder, "open.json");
        KeypairFile.LoadOrCreate(path);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        Assert.Contains(
            "chmod 600", Assert.Throws<UnauthorizedAccessException>(() => KeypairFile.Load(path)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not json 5,6,7")]
    [InlineData("[1,2,3]")]
    [InlineData("\"secret\"")]
    [InlineData("[300]")]
    public void A_damaged_key_is_refused_without_quoting_it(string json)
    {
        var fault = Assert.Throws<FormatException>(() => KeypairFile.Parse(json, "anchor.json"));
        Assert.DoesNotContain("5,6,7", fault.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_whose_halves_differ_is_refused()
    {
        var secret = Keypair.Generate();
        var other = Keypair.Generate();
        var bytes = new byte[64];
        other.PublicKey.KeyBytes.CopyTo(bytes, 32);
        Assert.Throws<FormatException>(() => Keypair.FromSecret(bytes));
        Assert.Equal(secret.PublicKey.Key, secret.ToString());
    }
}
