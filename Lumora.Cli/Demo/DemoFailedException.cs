namespace Lumora.Cli.Demo;

/// <summary>The journey cannot go on; the message says why and what to do.</summary>
internal sealed class DemoFailedException(string message) : Exception(message);
