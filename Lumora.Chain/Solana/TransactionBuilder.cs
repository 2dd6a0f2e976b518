namespace Lumora.Chain.Solana;

/// <summary>Puts a transaction together, in the manner of Solnet's builder.</summary>
public sealed class TransactionBuilder
{
    private readonly List<TransactionInstruction> _instructions = [];
    private string? _blockhash;
    private PublicKey? _feePayer;
    private MessageVersion _version = MessageVersion.V0;

    /// <summary>Blockhash or durable nonce (base58) that limits the transaction's life.</summary>
    public TransactionBuilder SetRecentBlockHash(string blockhash)
    {
        _blockhash = blockhash;
        return this;
    }

    /// <summary>Who pays the fee; its signature is the transaction's id.</summary>
    public TransactionBuilder SetFeePayer(PublicKey feePayer)
    {
        _feePayer = feePayer;
        return this;
    }

    /// <summary>The message format; version 0 unless set.</summary>
    public TransactionBuilder SetVersion(MessageVersion version)
    {
        _version = version;
        return this;
    }

    /// <summary>Adds a call.</summary>
    public TransactionBuilder AddInstruction(TransactionInstruction instruction)
    {
        _instructions.Add(instruction);
        return this;
    }

    /// <summary>The message as it will be signed.</summary>
    public Message CompileMessage() => Message.Compile(
        _feePayer ?? throw new InvalidOperationException("The fee payer is not set."),
        _blockhash ?? throw new InvalidOperationException("The recent blockhash is not set."),
        _instructions, _version);

    /// <summary>The signed transaction. Signers may come in any order.</summary>
    public Transaction Build(params IReadOnlyList<Keypair> signers) => Transaction.Sign(CompileMessage(), signers);
}
