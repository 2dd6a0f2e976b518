using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Lumora.Projections.Ledger;

/// <summary>
/// The signature of what hosts send each other: HMAC-SHA256 with the secret of the lease's term, in hexadecimal. A
/// request's covers method, path, term, time and the body's SHA-256; an answer's covers the request's and its own body,
/// so that nobody who comes to listen at a dead writer's port can answer for it.
/// </summary>
public static class LedgerSignature
{
    /// <summary>Header: the term that the sender knows.</summary>
    public const string TermHeader = "Lumora-Ledger-Term";

    /// <summary>Header: when it was signed, milliseconds since 1970 by the database's clock.</summary>
    public const string TimeHeader = "Lumora-Ledger-Time";

    /// <summary>Header of requests and answers: the signature.</summary>
    public const string Header = "Lumora-Ledger-Signature";

    /// <summary>How old or how far ahead a signed time may be.</summary>
    public static readonly TimeSpan AgeMax = TimeSpan.FromSeconds(5);

    /// <summary>Where the host at an address takes the requests for <paramref name="shard"/>.</summary>
    public static string PathOf(string shard) => $"/internal/ledger/{shard}/requests";

    /// <summary>Signs a request.</summary>
    public static string OfRequest(
        ReadOnlySpan<byte> secret, string method, string path, long term, long time, ReadOnlySpan<byte> body) => Sign(
        secret, string.Create(
            CultureInfo.InvariantCulture, $"lumora/ledger-request/1\n{method}\n{path}\n{term}\n{time}\n{HashOf(body)}"));

    /// <summary>Signs the answer to the request that <paramref name="request"/> signs.</summary>
    public static string OfAnswer(ReadOnlySpan<byte> secret, string request, ReadOnlySpan<byte> body) =>
        Sign(secret, $"lumora/ledger-answer/1\n{request}\n{HashOf(body)}");

    /// <summary>Compares in constant time.</summary>
    public static bool Matches(string expected, string? given) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(expected), Encoding.UTF8.GetBytes(given ?? ""));

    private static string Sign(ReadOnlySpan<byte> secret, string text) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(text)));

    private static string HashOf(ReadOnlySpan<byte> body) => Convert.ToHexStringLower(SHA256.HashData(body));
}
