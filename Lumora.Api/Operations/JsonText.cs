using System.Text.Json;

namespace Lumora.Api.Operations;

/// <summary>Text in requests that the database cannot keep.</summary>
internal static class JsonText
{
    /// <summary>True when no text in <paramref name="element"/> holds U+0000.</summary>
    /// <exception cref="InvalidOperationException">A text is no Unicode: bad UTF-8, or half of a surrogate pair.</exception>
    public static bool IsSound(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => !element.GetString()!.Contains('\0', StringComparison.Ordinal),
        JsonValueKind.Array => element.EnumerateArray().All(IsSound),
        JsonValueKind.Object => element.EnumerateObject().All(member => IsSound(member.Value)),
        _ => true,
    };
}
