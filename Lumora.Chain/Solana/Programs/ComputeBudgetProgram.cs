using static Lumora.Chain.Solana.Programs.InstructionData;

namespace Lumora.Chain.Solana.Programs;

/// <summary>The compute budget: limits and the priority fee of a transaction.</summary>
public static class ComputeBudgetProgram
{
    /// <summary>Its address.</summary>
    public static PublicKey ProgramId { get; } = new("ComputeBudget111111111111111111111111111111");

    /// <summary>At most this many compute units.</summary>
    public static TransactionInstruction SetComputeUnitLimit(uint units) => new(ProgramId, [], [2, .. UInt32(units)]);

    /// <summary>Priority fee in millionths of a lamport a compute unit.</summary>
    public static TransactionInstruction SetComputeUnitPrice(ulong microLamports) =>
        new(ProgramId, [], [3, .. UInt64(microLamports)]);
}
