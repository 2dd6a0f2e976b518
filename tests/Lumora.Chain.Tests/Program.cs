using Lumora.Chain.Tests.Log;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace Lumora.Chain.Tests;

/// <summary>
/// The entry point that xUnit would write, and one more: the test program as a publishing process, for tests that kill it or
/// break its system calls.
/// </summary>
internal static class Program
{
    public static Task<int> Main(string[] args) => args switch
    {
        [PublishingProgram.Argument] => PublishingProgram.RunAsync(),
        _ when args.Contains("--server", StringComparer.Ordinal) || args.Contains("--internal-msbuild-node", StringComparer.Ordinal) =>
            TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
        _ => ConsoleRunner.Run(args),
    };
}
