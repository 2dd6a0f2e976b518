using System.Globalization;
using Lumora.Domain.Kernel;
using Lumora.Domain.Log;

namespace Lumora.Cli.Verify;

/// <summary>An event in one line, for people.</summary>
internal static class EventLine
{
    public static string Of(Leaf leaf) => string.Create(
        CultureInfo.InvariantCulture,
        $"{leaf.Type}, {leaf.Stream} version {leaf.Version}, {leaf.At.ToWire()}, by {leaf.Actor ?? "nobody named"}, id {leaf.Id}");
}
