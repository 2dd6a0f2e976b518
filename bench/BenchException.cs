namespace Lumora.Bench;

/// <summary>Why a run cannot be made, or what it found to be wrong; for people.</summary>
public sealed class BenchException(string message, Exception? inner = null) : Exception(message, inner);
