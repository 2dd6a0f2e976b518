using System.Text;

namespace Lumora.Chain.Solana.Programs;

/// <summary>SPL Memo (v2): UTF-8 text in a transaction.</summary>
public static class MemoProgram
{
    /// <summary>Client libraries agree on this limit, in bytes.</summary>
    public const int BytesMax = 566;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Its address.</summary>
    public static PublicKey ProgramId { get; } = new("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");

    /// <summary>Writes <paramref name="memo"/>; the signers vouch for it.</summary>
    public static TransactionInstruction NewMemo(ReadOnlySpan<byte> memo, params IReadOnlyList<PublicKey> signers)
    {
        if (memo.Length > BytesMax)
            throw new ArgumentException($"A memo has at most {BytesMax} bytes.", nameof(memo));
        _ = StrictUtf8.GetCharCount(memo);
        return new TransactionInstruction(
            ProgramId, [.. signers.Select(signer => AccountMeta.ReadOnly(signer, isSigner: true))], memo.ToArray());
    }

    /// <summary>Writes <paramref name="memo"/>; the signers vouch for it.</summary>
    public static TransactionInstruction NewMemo(string memo, params IReadOnlyList<PublicKey> signers) =>
        NewMemo(StrictUtf8.GetBytes(memo), signers);
}
