namespace Lumora.Api.Operations;

/// <summary>The host cannot start for a reason that its operator can mend; the message says what to do.</summary>
internal sealed class StartupException(string message, Exception? cause = null) : Exception(message, cause);
