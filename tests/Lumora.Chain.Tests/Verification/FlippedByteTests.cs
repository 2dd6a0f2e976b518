using Lumora.Chain.Notes;
using Lumora.Chain.Verification;

namespace Lumora.Chain.Tests.Verification;

public sealed class FlippedByteTests
{
    /// <summary>Each bit of each file: nothing in a log may be changed unseen.</summary>
    [Fact]
    public async Task Fsck_finds_every_flipped_bit_of_a_small_log() => await FlipAsync(3, step: 1, [1, 2, 4, 8, 16, 32, 64, 128]);

    /// <summary>Full tiles, partial ones and a second level: each byte in the long form, every 41st in the short one.</summary>
    [Fact]
    public async Task Fsck_finds_every_flipped_byte_of_a_log_with_two_levels() =>
        await FlipAsync(259, step: LongForm.IsAsked ? 1 : 41, [1]);

    private static async Task FlipAsync(int size, int step, byte[] masks)
    {
        var files = LogMutations.Files(size);
        var key = VerifierKey.Parse(GoldenLog.LogKey);
        async Task<FsckReport> Fsck() => await LogFsck.RunAsync(
            new FileTiles(files), key, files["checkpoint"], onEntry: null, TestContext.Current.CancellationToken);

        Assert.Empty((await Fsck()).Problems);
        var flips = 0;
        foreach (var (path, bytes) in files)
        {
            for (var at = 0; at < bytes.Length; at += step)
            {
                foreach (var mask in masks)
                {
                    bytes[at] ^= mask;
                    Assert.False((await Fsck()).IsWhole, $"{path}: byte {at} xor {mask} is not found.");
                    bytes[at] ^= mask;
                    flips++;
                }
            }
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"{flips} flips");
    }
}
