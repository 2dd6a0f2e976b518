using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Lumora.Domain.Participants;

/// <summary>
/// The text that a wallet signs to sign in (Sign-In With Solana, modelled on EIP-4361; CAIP-122 for Solana). Only its
/// canonical spelling is read: what is parsed writes itself back to the same characters, so that nothing a person saw
/// is passed over.
/// </summary>
public sealed record SignInMessage
{
    private const string Opening = " wants you to sign in with your Solana account:";
    private const int LengthMax = 4096;
    private static readonly string[] FieldNames =
        ["URI", "Version", "Chain ID", "Nonce", "Issued At", "Expiration Time", "Not Before", "Request ID"];

    /// <summary>Who asks: host and, where it is not the scheme's own, port.</summary>
    public required string Domain { get; init; }

    /// <summary>Base58 of the wallet.</summary>
    public required string Address { get; init; }

    /// <summary>Words for the person; null when there are none.</summary>
    public string? Statement { get; init; }

    /// <summary>What is signed in to.</summary>
    public string? Uri { get; init; }

    /// <summary>Of the message format.</summary>
    public string? Version { get; init; }

    /// <summary>The Solana cluster, for example <c>mainnet</c> or <c>localnet</c>.</summary>
    public string? ChainId { get; init; }

    /// <summary>What the server gave out for this one sign-in.</summary>
    public string? Nonce { get; init; }

    /// <summary>When the message was made, ISO 8601 as written.</summary>
    public string? IssuedAt { get; init; }

    /// <summary>Until when it holds, ISO 8601 as written.</summary>
    public string? ExpirationTime { get; init; }

    /// <summary>From when it holds, ISO 8601 as written.</summary>
    public string? NotBefore { get; init; }

    /// <summary>An id of the caller's.</summary>
    public string? RequestId { get; init; }

    /// <summary>Addresses that the person is shown.</summary>
    public IReadOnlyList<string> Resources { get; init; } = [];

    /// <summary>Reads <paramref name="text"/>; false for anything that <see cref="ToString"/> would write differently.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out SignInMessage? message)
    {
        message = null;
        if (text is null || text.Length > LengthMax)
            return false;
        var lines = text.Split('\n');
        if (lines.Length < 2 || !lines[0].EndsWith(Opening, StringComparison.Ordinal))
            return false;

        // A blank line, then a statement, a blank line and fields; either part may be absent.
        var at = 2;
        string? statement = null;
        if (at + 1 < lines.Length && lines[at].Length == 0 && !IsField(lines[at + 1]))
        {
            statement = lines[at + 1];
            at += 2;
        }

        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        var resources = new List<string>();
        if (at < lines.Length && !ReadFields(lines.AsSpan(at), fields, resources))
            return false;
        message = new SignInMessage
        {
            Domain = lines[0][..^Opening.Length],
            Address = lines[1],
            Statement = statement,
            Uri = fields.GetValueOrDefault("URI"),
            Version = fields.GetValueOrDefault("Version"),
            ChainId = fields.GetValueOrDefault("Chain ID"),
            Nonce = fields.GetValueOrDefault("Nonce"),
            IssuedAt = fields.GetValueOrDefault("Issued At"),
            ExpirationTime = fields.GetValueOrDefault("Expiration Time"),
            NotBefore = fields.GetValueOrDefault("Not Before"),
            RequestId = fields.GetValueOrDefault("Request ID"),
            Resources = resources,
        };
        if (message.ToString() == text)
            return true;
        message = null;
        return false;
    }

    /// <summary>An ISO 8601 time with its offset, as the message writes times; null when it is none.</summary>
    public static DateTimeOffset? ReadTime(string? text) =>
        text is { Length: >= 20 and <= 40 } && char.IsAsciiDigit(text[0])
        && (text[^1] == 'Z' || text[^6] is '+' or '-')
        && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)
            ? time
            : null;

    /// <summary>The text to sign.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(Domain).Append(Opening).Append('\n').Append(Address);
        if (Statement is not null)
            text.Append("\n\n").Append(Statement);
        string?[] values = [Uri, Version, ChainId, Nonce, IssuedAt, ExpirationTime, NotBefore, RequestId];
        var separator = "\n\n";
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i] is not { } value)
                continue;
            text.Append(separator).Append(FieldNames[i]).Append(": ").Append(value);
            separator = "\n";
        }

        if (Resources.Count > 0)
        {
            text.Append(separator).Append("Resources:");
            foreach (var resource in Resources)
                text.Append("\n- ").Append(resource);
        }

        return text.ToString();
    }

    private static bool IsField(string line) =>
        line == "Resources:" || FieldNames.Any(name => line.StartsWith(name + ": ", StringComparison.Ordinal));

    private static bool ReadFields(ReadOnlySpan<string> lines, Dictionary<string, string> fields, List<string> resources)
    {
        if (lines[0].Length != 0)
            return false;
        var inResources = false;
        foreach (var line in lines[1..])
        {
            var colon = line.IndexOf(": ", StringComparison.Ordinal);
            if (inResources && line.StartsWith("- ", StringComparison.Ordinal))
                resources.Add(line[2..]);
            else if (!inResources && line == "Resources:")
                inResources = true;
            else if (inResources || colon < 0 || !fields.TryAdd(line[..colon], line[(colon + 2)..]))
                return false;
        }

        return true;
    }
}
