using CsCheck;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Programs;

namespace Lumora.Chain.Tests.Solana;

public sealed class WireFormatTests
{
    private static readonly SolanaVectors Vectors = SolanaVectors.Load();
    private static readonly Dictionary<string, TransactionInstruction> Instructions = BuildInstructions();

    [Fact]
    public void Keys_derive_the_addresses_that_kit_derives()
    {
        foreach (var (name, key) in Vectors.Keys)
            Assert.Equal(key.Address, Vectors.Key(name).PublicKey.Key);
    }

    [Fact]
    public void Every_instruction_has_the_bytes_and_accounts_that_the_official_clients_make()
    {
        Assert.Equal(Vectors.Instructions.Keys.Order(StringComparer.Ordinal), Instructions.Keys.Order(StringComparer.Ordinal));
        foreach (var (name, expected) in Vectors.Instructions)
        {
            var actual = Instructions[name];
            Assert.Equal(expected.Program, actual.ProgramId.Key);
            Assert.Equal(expected.Data, Convert.ToHexStringLower(actual.Data));
            Assert.Equal(
                expected.Accounts,
                actual.Keys.Select(meta => new SolanaVectors.AccountVector(
                    meta.PublicKey.Key, meta.IsSigner, meta.IsWritable)));
        }
    }

    [Fact]
    public void Legacy_and_version_0_transactions_are_byte_for_byte_those_of_kit()
    {
        Keypair[] signers = [.. Vectors.Keys.Keys.Select(Vectors.Key)];
        foreach (var vector in Vectors.Transactions)
        {
            var builder = new TransactionBuilder()
                .SetFeePayer(Vectors.Key("payer").PublicKey)
                .SetRecentBlockHash(vector.Blockhash)
                .SetVersion(vector.Version == "0" ? MessageVersion.V0 : MessageVersion.Legacy);
            foreach (var name in vector.Instructions)
                builder.AddInstruction(Instructions[name]);
            var transaction = builder.Build(signers);

            Assert.Equal(vector.Message, Convert.ToHexStringLower(transaction.MessageBytes));
            Assert.Equal(vector.Wire, Convert.ToBase64String(transaction.Serialize()));
            Assert.Equal(vector.Signature, transaction.Signature);
        }
    }

    [Fact]
    public void What_kit_wrote_is_read_back_and_verifies()
    {
        foreach (var vector in Vectors.Transactions)
        {
            var wire = Convert.FromBase64String(vector.Wire);
            var transaction = Transaction.Deserialize(wire);
            Assert.True(transaction.SignaturesVerify());
            Assert.Equal(wire, transaction.Serialize());
            Assert.Equal(vector.Message, Convert.ToHexStringLower(transaction.Message.Serialize()));
        }

        var anchor = Transaction.Deserialize(Convert.FromBase64String(
            Vectors.Transactions.First(vector => vector.Name == "anchor").Wire));
        var memo = Assert.Single(anchor.DataFor(MemoProgram.ProgramId));
        Assert.Equal(Vectors.Checkpoint, System.Text.Encoding.UTF8.GetString(memo));
    }

    [Fact]
    public void Any_changed_bit_of_a_transaction_is_refused_or_fails_verification() =>
        Gen.Select(Gen.Int[0, Vectors.Transactions.Length - 1], Gen.Int[0, 1231], Gen.Int[0, 7]).Sample((index, at, bit) =>
        {
            var wire = Convert.FromBase64String(Vectors.Transactions[index].Wire);
            wire[at % wire.Length] ^= (byte)(1 << bit);
            try
            {
                Assert.False(Transaction.Deserialize(wire).SignaturesVerify());
            }
            catch (FormatException)
            {
                // Refused: as good.
            }
        });

    [Fact]
    public void Cut_and_extended_transactions_are_refused()
    {
        var wire = Convert.FromBase64String(Vectors.Transactions[0].Wire);
        for (var length = 0; length < wire.Length; length++)
            Assert.Throws<FormatException>(() => Transaction.Deserialize(wire.AsSpan(0, length)));
        Assert.Throws<FormatException>(() => Transaction.Deserialize([.. wire, 0]));
    }

    [Fact]
    public void Associated_token_accounts_and_bumps_are_those_of_kit()
    {
        foreach (var vector in Vectors.AssociatedTokenAccounts)
        {
            var (account, bump) = PublicKey.FindProgramAddress(
                AssociatedTokenAccountProgram.ProgramId, new PublicKey(vector.Owner).KeyBytes,
                TokenProgram.ProgramId.KeyBytes, new PublicKey(vector.Mint).KeyBytes);
            Assert.Equal((vector.Account, vector.Bump), (account.Key, bump));
            Assert.False(account.IsOnCurve());
            Assert.True(new PublicKey(vector.Owner).IsOnCurve());
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("1111111111111111111111111111111")]
    [InlineData("0OIl111111111111111111111111111111111111111")]
    [InlineData("zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz")]
    [InlineData("GwAF45zjfyGzUbd3i3hXxzGeuchzEZXwpRYHZM5912Fé")]
    [InlineData("\u2014wAF45zjfyGzUbd3i3hXxzGeuchzEZXwpRYHZM5912F1")]
    public void Text_that_is_no_address_is_refused(string text) => Assert.False(PublicKey.TryParse(text, out _));

    private static Dictionary<string, TransactionInstruction> BuildInstructions()
    {
        PublicKey Of(string name) => Vectors.Key(name).PublicKey;
        var (payer, mint, authority, alice, bob, nonce) =
            (Of("payer"), Of("mint"), Of("authority"), Of("alice"), Of("bob"), Of("nonce"));
        var source = AssociatedTokenAccountProgram.DeriveAssociatedTokenAccount(alice, mint);
        var destination = AssociatedTokenAccountProgram.DeriveAssociatedTokenAccount(bob, mint);
        return new Dictionary<string, TransactionInstruction>(StringComparer.Ordinal)
        {
            ["transfer"] = SystemProgram.Transfer(payer, bob, 1_000_000_007),
            ["createAccount"] = SystemProgram.CreateAccount(payer, mint, 1_461_600, 82, TokenProgram.ProgramId),
            ["advanceNonce"] = SystemProgram.AdvanceNonceAccount(nonce, authority),
            ["initializeNonce"] = SystemProgram.InitializeNonceAccount(nonce, authority),
            ["memo"] = MemoProgram.NewMemo(Vectors.Checkpoint),
            ["signedMemo"] = MemoProgram.NewMemo("signed: ünïcödé", payer, authority),
            ["initializeMint"] = TokenProgram.InitializeMint(mint, 9, authority),
            ["initializeMintWithFreeze"] = TokenProgram.InitializeMint(mint, 6, authority, bob),
            ["mintTo"] = TokenProgram.MintTo(mint, source, ulong.MaxValue, authority),
            ["tokenTransfer"] = TokenProgram.Transfer(source, destination, 5, alice),
            ["transferChecked"] = TokenProgram.TransferChecked(source, destination, 1_250_000_000, 9, alice, mint),
            ["approve"] = TokenProgram.Approve(source, bob, alice, 77),
            ["createAta"] = AssociatedTokenAccountProgram.CreateAssociatedTokenAccount(payer, alice, mint),
            ["createAtaIdempotent"] = AssociatedTokenAccountProgram.CreateIdempotent(payer, bob, mint),
            ["computeUnitLimit"] = ComputeBudgetProgram.SetComputeUnitLimit(30_000),
            ["computeUnitPrice"] = ComputeBudgetProgram.SetComputeUnitPrice(12_345),
        };
    }
}
