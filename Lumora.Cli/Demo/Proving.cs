using System.Text.Json;

namespace Lumora.Cli.Demo;

/// <summary>The last part: the purchase's leaf, its inclusion proof, the checkpoint, the memo on Solana.</summary>
internal sealed class Proving(DemoOptions options, DemoStory story)
{
    /// <summary>Proves that the purchase is in the log and that a finalized transaction holds a checkpoint over it.</summary>
    public async Task ProveAsync(string purchaseId, CancellationToken cancellation)
    {
        _ = options;
        _ = story;
        _ = purchaseId;
        await Task.CompletedTask;
        cancellation.ThrowIfCancellationRequested();
        throw new DemoFailedException(JsonSerializer.Serialize("not yet"));
    }
}
