namespace Lumora.Domain.Cryptography;

/// <summary>What is wrong with an age file.</summary>
public enum AgeFault
{
    /// <summary>The header does not follow the grammar of the specification.</summary>
    BadHeader,

    /// <summary>The header's MAC is not that of its text: the header was changed.</summary>
    BadMac,

    /// <summary>No recipient stanza can be opened with the identities at hand.</summary>
    NoMatchingIdentity,

    /// <summary>A key exchange gave the all-zero secret: a point of low order.</summary>
    LowOrderPoint,

    /// <summary>The file ends before its final chunk.</summary>
    Truncated,

    /// <summary>Bytes follow the final chunk.</summary>
    Extended,

    /// <summary>A chunk does not authenticate: changed, moved, or of another file.</summary>
    BadChunk,

    /// <summary>The final chunk is empty although chunks precede it.</summary>
    EmptyFinalChunk,
}

/// <summary>An age file, or a key for one, was refused. What was decrypted before it must not be used.</summary>
/// <param name="fault">The kind of fault.</param>
/// <param name="message">What is wrong and where (line of the header, chunk and byte offset of the payload).</param>
public sealed class AgeException(AgeFault fault, string message) : Exception(message)
{
    /// <summary>The kind of fault.</summary>
    public AgeFault Fault { get; } = fault;
}
