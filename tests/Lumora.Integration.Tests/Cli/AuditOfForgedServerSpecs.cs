using Lumora.Cli.Audit;

namespace Lumora.Integration.Tests.Cli;

public sealed class AuditOfForgedServerSpecs
{
    private const string NoPage = """{"pageInfo":{"hasNextPage":false,"endCursor":null},"nodes":[]}""";

    [Fact]
    public async Task A_server_that_tells_nothing_of_what_is_logged_is_found()
    {
        var said = await AuditAsync($$$"""{"data":{"epochs":{{{NoPage}}},"datasets":{{{NoPage}}} } }""");
        said.Must(1, "WRONG", "epoch 20454", "the server does not tell it");
        said.Must(1, "not proven", "aggregates_same");
    }

    [Theory]
    [InlineData("""{"data":{}}""")]
    [InlineData("""{"data":{"epochs":[]}}""")]
    [InlineData("""{"data":{"epochs":{"pageInfo":{},"nodes":[]}}}""")]
    [InlineData("""{"data":{"epochs":{"pageInfo":{"hasNextPage":false},"nodes":[{"number":"1"},{"number":"1"}]},"datasets":{"pageInfo":{"hasNextPage":false},"nodes":[]}}}""")]
    public async Task An_answer_of_another_form_is_a_finding_and_no_crash(string answer) =>
        (await AuditAsync(answer)).Must(1, "WRONG", "has not the form of the schema");

    [Theory]
    [InlineData("""{"errors":[{"message":"out of order"}]}""", "out of order")]
    [InlineData("nonsense", "does not answer as GraphQL does")]
    public async Task A_server_that_cannot_answer_is_said_with_exit_code_2(string answer, string what) =>
        (await AuditAsync(answer)).Must(2, "graphql", what);

    [Fact]
    public async Task A_mirror_without_GraphQL_is_audited_and_the_report_says_what_was_not_compared() =>
        (await AuditAsync(answer: null)).Must(0, "not proven", "aggregates_same", "no server here to ask");

    private static async Task<Said> AuditAsync(string? answer)
    {
        using var log = new ForgedLog();
        new ForgedNetwork().WriteTo(log);
        await log.PublishAsync();
        await using var server = await ForgedServer.StartAsync();
        (server.Log, server.Answer) = (log, answer);
        return await LoggedHost.RunAsync(AuditCommand.Create(), "--server", server.Address, "--key", log.Key);
    }
}
