using System.Net;
using System.Text.Json;

namespace Lumora.Cli.Client;

/// <summary>The host answered, and the answer is no.</summary>
internal sealed class LumoraRefusedException : Exception
{
    private LumoraRefusedException(string code, string message, bool isPassing)
        : base($"{message} ({code})")
    {
        Code = code;
        IsPassing = isPassing;
    }

    /// <summary>The stable code, for example <c>insufficient_funds</c>.</summary>
    public string Code { get; }

    /// <summary>True when the same request may succeed later: the host is starting, busy, or the token ran out.</summary>
    public bool IsPassing { get; }

    /// <summary>From the first of a GraphQL answer's errors.</summary>
    public static LumoraRefusedException FromGraphQL(JsonElement error)
    {
        var code = error.TryGetProperty("extensions", out var extensions) && extensions.TryGetProperty("code", out var value)
            ? value.GetString()!
            : "UNKNOWN";
        return new LumoraRefusedException(code, error.GetProperty("message").GetString() ?? "", isPassing: code is "TIMEOUT");
    }

    /// <summary>From a payload's <c>error { code message field }</c>.</summary>
    public static LumoraRefusedException FromPayload(JsonElement error)
    {
        var code = error.GetProperty("code").GetString()!;
        return new LumoraRefusedException(code, error.GetProperty("message").GetString() ?? "", code is "busy" or "faucet_unavailable");
    }

    /// <summary>From an HTTP status and its problem details (RFC 9457) or GraphQL errors.</summary>
    public static LumoraRefusedException FromHttp(HttpStatusCode status, string body)
    {
        var passing = status is HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests
            or HttpStatusCode.BadGateway or HttpStatusCode.GatewayTimeout;
        try
        {
            var problem = JsonSerializer.Deserialize<JsonElement>(body);
            if (problem.ValueKind == JsonValueKind.Object && problem.TryGetProperty("errors", out var errors)
                && errors.ValueKind == JsonValueKind.Array)
            {
                return FromGraphQL(errors[0]);
            }

            var code = problem.TryGetProperty("code", out var value) ? value.GetString()! : status.ToString();
            var text = problem.TryGetProperty("detail", out var detail) ? detail.GetString()! : $"HTTP {(int)status}";
            return new LumoraRefusedException(code, text, passing);
        }
        catch (JsonException)
        {
            return new LumoraRefusedException(status.ToString(), $"HTTP {(int)status}", passing);
        }
    }
}
