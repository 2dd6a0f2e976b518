using System.Text;
using Lumora.Chain.Notes;

namespace Lumora.Chain.Tests.Notes;

public sealed class TlogProofTests
{
    private static readonly string Hash = Convert.ToBase64String(new byte[32]);

    private static TlogProof Parse(string text) => TlogProof.Parse(Encoding.UTF8.GetBytes(text));

    [Fact]
    public void A_proof_reads_back_as_it_was_written_with_its_unsigned_extra()
    {
        var text = $"c2sp.org/tlog-proof@v1\nextra AAEC\nindex 5\n{Hash}\n{Hash}\n\n{GoldenLog.Checkpoint}";
        var proof = Parse(text);
        Assert.Equal(5, proof.Index);
        Assert.Equal(2, proof.Path.Count);
        Assert.Equal([0, 1, 2], proof.Extra!.Value.ToArray());
        Assert.Equal(GoldenLog.Checkpoint, Encoding.UTF8.GetString(proof.Checkpoint.Span));
        Assert.Equal(text, Encoding.UTF8.GetString(proof.ToBytes()));
    }

    [Fact]
    public void A_tree_of_one_leaf_needs_no_hashes() =>
        Assert.Empty(Parse($"c2sp.org/tlog-proof@v1\nindex 0\n\n{GoldenLog.Checkpoint}").Path);

    [Theory]
    [InlineData("c2sp.org/tlog-proof@v2\nindex 0\n\nx")]
    [InlineData("c2sp.org/tlog-proof@v1\nindex 00\n\nx")]
    [InlineData("c2sp.org/tlog-proof@v1\nindex +1\n\nx")]
    [InlineData("c2sp.org/tlog-proof@v1\n\nx")]
    [InlineData("c2sp.org/tlog-proof@v1\nindex 0\nAB==\n\nx")]
    [InlineData("c2sp.org/tlog-proof@v1\nindex 0\nextra AAEC\n\nx")]
    [InlineData("c2sp.org/tlog-proof@v1\nindex 0\n")]
    public void What_is_no_proof_is_refused(string text) => Assert.Throws<FormatException>(() => Parse(text));
}
