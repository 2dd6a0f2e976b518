using System.Buffers;
using System.Globalization;
using System.Text;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Cryptography;

/// <summary>The parts of a request that a signature can cover.</summary>
/// <param name="Method">As on the wire, for example <c>POST</c>.</param>
/// <param name="Authority">Host, lower case, with the port unless it is the scheme's own.</param>
/// <param name="Path">The path as on the wire (percent-encoded), at least <c>/</c>.</param>
/// <param name="Query">With its <c>?</c>; empty when there is none.</param>
/// <param name="Fields">Header fields by lower-case name; several lines of one field joined by <c>", "</c>.</param>
public sealed record SignableRequest(
    string Method, string Authority, string Path, string Query, IReadOnlyDictionary<string, string> Fields);

/// <summary>What a signature says about itself.</summary>
/// <param name="Components">Covered components in order, for example <c>@method</c>.</param>
/// <param name="CreatedAt">When it was made, seconds since 1970.</param>
/// <param name="ExpiresAt">Until when it holds, seconds since 1970; null when it does not say.</param>
/// <param name="Nonce">Unique to this request; null when there is none.</param>
/// <param name="KeyId">Whose key: for nodes the node id.</param>
public sealed record SignatureParameters(
    IReadOnlyList<string> Components, long CreatedAt, long? ExpiresAt, string? Nonce, string KeyId);

/// <summary>A signature in its wire form.</summary>
/// <param name="Input">Value of <c>Signature-Input</c>.</param>
/// <param name="Signature">Value of <c>Signature</c>.</param>
public sealed record SignatureFields(string Input, string Signature);

/// <summary>
/// HTTP message signatures with Ed25519 (RFC 9421), as far as the node protocol uses them: one signature a request,
/// components without parameters. What RFC 9421 allows beyond that is refused, not passed over.
/// </summary>
public static class HttpMessageSignature
{
    /// <summary>Field names of a signature.</summary>
    public const string InputField = "signature-input", SignatureField = "signature";

    /// <summary>The label of our signatures.</summary>
    public const string Label = "lumora";

    private static readonly SearchValues<char> ComponentCharacters =
        SearchValues.Create("@abcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>Signs <paramref name="request"/> with the key of <paramref name="seed"/> (RFC 9421 §3.1).</summary>
    /// <exception cref="ArgumentException">A component is not in the request.</exception>
    public static SignatureFields Sign(
        SignableRequest request,
        SignatureParameters parameters,
        ReadOnlySpan<byte> seed,
        ICurve25519 curve,
        string label = Label)
    {
        var text = Serialize(parameters);
        var signed = Base(request, parameters.Components, text)
            ?? throw new ArgumentException("A component to sign is missing in the request.", nameof(request));
        var signature = curve.Ed25519Sign(seed, signed);
        return new SignatureFields($"{label}={text}", $"{label}=:{Convert.ToBase64String(signature)}:");
    }

    /// <summary>
    /// Verifies the signature's mathematics (RFC 9421 §3.2). Whether it covers enough, is fresh and not replayed is
    /// for the caller: <see cref="NodeRequest"/>.
    /// </summary>
    /// <param name="request">What was received.</param>
    /// <param name="fields">The two fields as received.</param>
    /// <param name="keyOf">The Ed25519 public key of a key id, or null.</param>
    /// <param name="curve">Ed25519.</param>
    /// <returns>The parameters, or <c>signature_malformed</c>, <c>signature_key</c>, <c>signature_wrong</c>.</returns>
    public static Result<SignatureParameters> Verify(
        SignableRequest request, SignatureFields fields, Func<string, byte[]?> keyOf, ICurve25519 curve)
    {
        var separator = fields.Input.IndexOf('=', StringComparison.Ordinal);
        if (separator < 1 || Parse(fields.Input[(separator + 1)..]) is not { } parameters)
            return new Rejection("signature_malformed", "Signature-Input is not one signature of the form this API takes.");
        var prefix = fields.Input[..(separator + 1)] + ":";
        var signature = new byte[64];
        if (!fields.Signature.StartsWith(prefix, StringComparison.Ordinal)
            || !fields.Signature.EndsWith(':')
            || fields.Signature.Length <= prefix.Length
            || !Convert.TryFromBase64String(fields.Signature[prefix.Length..^1], signature, out var length)
            || length != signature.Length)
            return new Rejection("signature_malformed", "Signature is not 64 bytes of base64 under the label of Signature-Input.");
        if (Base(request, parameters.Components, fields.Input[(separator + 1)..]) is not { } signed)
            return new Rejection("signature_malformed", "The signature covers a component that the request does not have.");
        if (keyOf(parameters.KeyId) is not { } key)
            return new Rejection("signature_key", "The key id is no Ed25519 public key in base58.");
        return curve.Ed25519Verify(key, signed, signature)
            ? parameters
            : new Rejection("signature_wrong", "The signature does not fit the request.");
    }

    /// <summary>The signature base, or null when a component is missing (RFC 9421 §2.5).</summary>
    private static byte[]? Base(SignableRequest request, IReadOnlyList<string> components, string parameters)
    {
        var text = new StringBuilder();
        foreach (var component in components)
        {
            var value = component switch
            {
                "@method" => request.Method,
                "@authority" => request.Authority,
                "@path" => request.Path,
                // RFC 9421 §2.2.7: an absent query is written as a lone question mark.
                "@query" => request.Query.Length == 0 ? "?" : request.Query,
                _ => request.Fields.GetValueOrDefault(component)?.Trim(),
            };
            if (value is null || value.AsSpan().ContainsAny('\r', '\n'))
                return null;
            text.Append('"').Append(component).Append("\": ").Append(value).Append('\n');
        }

        return Encoding.UTF8.GetBytes(text.Append("\"@signature-params\": ").Append(parameters).ToString());
    }

    private static string Serialize(SignatureParameters parameters)
    {
        var text = new StringBuilder("(")
            .AppendJoin(' ', parameters.Components.Select(component => $"\"{component}\"")).Append(')');
        text.Append(CultureInfo.InvariantCulture, $";created={parameters.CreatedAt}");
        if (parameters.ExpiresAt is { } expires)
            text.Append(CultureInfo.InvariantCulture, $";expires={expires}");
        if (parameters.Nonce is { } nonce)
            text.Append(CultureInfo.InvariantCulture, $";nonce=\"{nonce}\"");
        return text.Append(CultureInfo.InvariantCulture, $";keyid=\"{parameters.KeyId}\"").ToString();
    }

    /// <summary>Reads <c>("a" "b");created=1;keyid="k"</c> in its canonical spelling; null when it is anything else.</summary>
    private static SignatureParameters? Parse(string text)
    {
        var close = text.IndexOf(')', StringComparison.Ordinal);
        if (text.Length > 2048 || close < 3 || text[0] != '(')
            return null;
        var components = new List<string>();
        foreach (var item in text[1..close].Split(' '))
        {
            if (item.Length < 3 || item[0] != '"' || item[^1] != '"' || item.AsSpan(1, item.Length - 2).ContainsAnyExcept(ComponentCharacters))
                return null;
            components.Add(item[1..^1]);
        }

        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var parameter in text[(close + 1)..].Split(';').Skip(1))
        {
            var pair = parameter.Split('=', 2);
            if (pair.Length != 2 || !values.TryAdd(pair[0], pair[1]))
                return null;
        }

        // A component named twice is refused (RFC 9421 §2.5), as is text between ')' and the first ';'.
        if (components.Count != components.Distinct(StringComparer.Ordinal).Count()
            || (close + 1 < text.Length && text[close + 1] != ';')
            || values.Keys.Except(["created", "expires", "nonce", "keyid", "alg"], StringComparer.Ordinal).Any())
            return null;
        if (Number(values, "created") is not { } created || Quoted(values, "keyid") is not { } keyId
            || (values.ContainsKey("expires") && Number(values, "expires") is null)
            || (values.ContainsKey("nonce") && Quoted(values, "nonce") is null)
            || (values.ContainsKey("alg") && Quoted(values, "alg") != "ed25519"))
            return null;
        return new SignatureParameters(components, created, Number(values, "expires"), Quoted(values, "nonce"), keyId);
    }

    private static long? Number(Dictionary<string, string> values, string name) =>
        values.TryGetValue(name, out var text)
        && text.Length <= 15 && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    /// <summary>A string without escapes: none of ours needs one.</summary>
    private static string? Quoted(Dictionary<string, string> values, string name) =>
        values.TryGetValue(name, out var text)
        && text.Length is > 2 and <= 258 && text[0] == '"' && text[^1] == '"'
        && text[1..^1].All(c => c is >= '!' and <= '~' and not '"' and not '\\')
            ? text[1..^1]
            : null;
}
