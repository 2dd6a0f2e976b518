using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Projections.Hosting;

namespace Lumora.Chain.Tests.Log;

public sealed class LogKeysTests : IDisposable
{
    private readonly LumoraHome _home = new(Path.Combine(Path.GetTempPath(), $"lumora-keys-{Guid.NewGuid():N}"));

    public void Dispose() => Directory.Delete(_home.Path, recursive: true);

    /// <summary>The steps of docs/log.md, Replacing keys.</summary>
    [Fact]
    public void A_key_is_replaced_in_an_overlap_by_renaming_the_next_one()
    {
        var options = new LogOptions { Origin = "example.org" };
        using var before = LogKeys.Open(_home, options, "main");
        Assert.Equal(before.Key, Assert.Single(before.Keys));
        Assert.False(File.Exists(Path.Combine(_home.Keys, "log-main.next.key")));

        options.KeyOverlap = true;
        using var overlap = LogKeys.Open(_home, options, "main");
        Assert.Equal(before.Key, overlap.Key);
        Assert.Equal(2, overlap.Keys.Count);
        Assert.All(overlap.Keys, key => Assert.Equal("example.org/main", key.Name));
        using var again = LogKeys.Open(_home, options, "main");
        Assert.Equal(overlap.Keys, again.Keys);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_home.Keys, "log-main.next.key")));

        options.KeyOverlap = false;
        File.Move(Path.Combine(_home.Keys, "log-main.next.key"), Path.Combine(_home.Keys, "log-main.key"), overwrite: true);
        using var after = LogKeys.Open(_home, options, "main");
        Assert.Equal(overlap.Keys[1], Assert.Single(after.Keys));
        // What the old key has anchored is still this log's.
        Assert.Equal(overlap.Keys.Reverse(), after.KnownKeys);
        Assert.Equal([before.Key], before.KnownKeys);
    }

    [Fact]
    public void A_file_of_earlier_keys_that_holds_none_is_said()
    {
        using (LogKeys.Open(_home, new LogOptions { Origin = "example.org" }, "main"))
            File.WriteAllText(Path.Combine(_home.Keys, "log-main.00000000.vkey"), "nothing\n");
        var fault = Assert.Throws<InvalidOperationException>(() => LogKeys.Open(_home, new LogOptions { Origin = "example.org" }, "main"));
        Assert.Contains("log-main.00000000.vkey", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_is_not_its_own_next_and_the_name_stays()
    {
        using var one = new NoteSigner("example.org/main", SignatureKind.Ed25519, new byte[32]);
        using var same = new NoteSigner("example.org/main", SignatureKind.Ed25519, new byte[32]);
        using var renamed = new NoteSigner("example.org/other", SignatureKind.Ed25519, [.. Enumerable.Repeat((byte)1, 32)]);
        Assert.Throws<ArgumentException>(() => new LogSigner(one, same));
        Assert.Throws<ArgumentException>(() => new LogSigner(one, renamed));
        Assert.Throws<ArgumentException>(() => new LogSigner(one, next: null, [renamed.Verifier]));
    }
}
