using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lumora.Domain.Kernel;

/// <summary>
/// An enum as its snake_case name, whatever the options say; numbers are refused. Stands on every enum property of an
/// event: the store puts a converter of its own before those of <see cref="WireJson"/>, and only a property's own
/// attribute comes before that.
/// </summary>
/// <typeparam name="T">The enum.</typeparam>
public sealed class WireEnumConverter<T>()
    : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)
    where T : struct, Enum;
