using Spectre.Console;

namespace Lumora.Cli.Demo;

/// <summary>
/// The journey in its order. Every step may be repeated: what the host has already done it answers again, so a host
/// that is killed and restarted in the middle delays the story and does not change it.
/// </summary>
internal sealed class DemoJourney(DemoOptions options, IAnsiConsole console)
{
    /// <summary>Runs the whole journey.</summary>
    /// <exception cref="DemoFailedException">A step did not come out as promised.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var run = Guid.NewGuid().ToString("N")[..12];
        using var site = await DemoSite.OpenAsync(options.Site, options.PagesMax, cancellation);
        using var cast = new DemoCast(options);
        var story = new DemoStory(console, cast, run);

        story.Chapter("The cast signs in with Solana wallets");
        await cast.SignInAsync(cancellation);
        story.Tell($"steward {cast.Steward.ParticipantId}, consumer {cast.Consumer.ParticipantId}");

        var gathering = new Gathering(options, story, site);
        story.Chapter("Two providers register a node each and start it");
        await gathering.RegisterNodesAsync(cancellation);
        var collectionId = await gathering.GatherAsync(cancellation);

        var selling = new Selling(story, site);
        story.Chapter("The accepted results become a dataset");
        var dataset = await selling.PublishAsync(collectionId, cancellation);
        story.Chapter("A consumer gets LMR by a real token transfer, and buys");
        await selling.FundAsync(dataset.Price, cancellation);
        var purchaseId = await selling.BuyAsync(dataset.Id, cancellation);
        story.Chapter("Download, decrypt, compare with the pages");
        await selling.ReceiveAsync(purchaseId, cancellation);
        story.Chapter("Confirmation releases the escrow");
        await selling.ConfirmAsync(purchaseId, cancellation);

        var paying = new Paying(story);
        story.Chapter("A steward closes the epoch, and the providers are paid");
        await paying.CloseEpochsAsync(cancellation);

        var proving = new Proving(options, story);
        story.Chapter("The purchase is in the log, and the log's checkpoint on Solana");
        await proving.ProveAsync(purchaseId, cancellation);

        story.End();
    }
}
