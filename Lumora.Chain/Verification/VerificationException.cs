namespace Lumora.Chain.Verification;

/// <summary>A proof or a signature does not hold; the message says what and where.</summary>
public sealed class VerificationException(string message) : Exception(message);
