using System.Runtime.CompilerServices;
using CsCheck;
using Lumora.Chain.Tests;

namespace Lumora.Domain.Tests.Ledger;

/// <summary>
/// Asks a property of the ledger of random requests: first of those that have failed once, then of fresh ones, a hundred times as many
/// with <c>LUMORA_LONG=1</c>. A failure prints its seed, <c>LUMORA_SEED</c> repeats it.
/// </summary>
internal static class LedgerSample
{
    private const int Iterations = 200;

    /// <summary>
    /// Seeds whose requests have failed once; every property is asked of them. A seed names its requests as long as
    /// <see cref="AnyLedger"/> draws as it does: whoever changes what it draws looks them up anew.
    /// </summary>
    private static readonly string[] KeptSeeds = ["aUN_-_QelEc2", "488cTpdyx9W2"];

    public static void Holds(Action<List<TimedRequest>> property, [CallerMemberName] string name = "")
    {
        try
        {
            foreach (var seed in KeptSeeds)
                AnyLedger.Requests.Sample(property, seed: seed, iter: 1, threads: 1);
            AnyLedger.Requests.Sample(property, seed: LongForm.Seed, iter: LongForm.Iterations(Iterations));
        }
        catch (CsCheckException fault)
        {
            throw new InvalidOperationException($"{name}: put the seed below into {nameof(KeptSeeds)}.", fault);
        }
    }
}
