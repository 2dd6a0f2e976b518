using Lumora.Cli.Demo;

namespace Lumora.Integration.Tests.Cli;

public sealed class DemoOptionSpecs
{
    [Theory]
    [InlineData("--pages", "abc")]
    [InlineData("--pages", "0")]
    [InlineData("--pages", "2001")]
    [InlineData("--patience", "abc")]
    [InlineData("--patience", "-1")]
    [InlineData("--server", "ftp://example.org")]
    public async Task A_wrong_value_is_refused_with_the_name_of_its_option(string option, string value) =>
        (await LoggedHost.RunAsync(DemoCommand.Create(), "--site", "nowhere", option, value)).Must(1, option);
}
