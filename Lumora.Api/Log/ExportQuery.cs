using System.Globalization;
using Lumora.Domain.Kernel;

namespace Lumora.Api.Log;

/// <summary>Which part of a log is exported.</summary>
/// <param name="Shard">The shard; null: the global one.</param>
/// <param name="From">The first leaf's index; null: see <paramref name="After"/>, else 0.</param>
/// <param name="After">Begin behind the leaf of this event.</param>
/// <param name="Limit">Leaves at most; null: all.</param>
/// <param name="Checkpoint">End with the last leaf that a checkpoint of this size covers; null: the newest checkpoint.</param>
internal sealed record ExportQuery(string? Shard, long? From, Guid? After, long? Limit, long? Checkpoint)
{
    /// <summary>Reads the arguments; a misspelt one is refused, not passed over.</summary>
    /// <returns>The query, or <c>unknown_argument</c>, <c>invalid_argument</c>, <c>invalid_range</c>.</returns>
    public static Result<ExportQuery> Read(IQueryCollection arguments)
    {
        var query = new ExportQuery(null, null, null, null, null);
        foreach (var (name, values) in arguments)
        {
            if (values is not [{ Length: > 0 } text])
                return new Rejection("invalid_argument", $"{name} is given once, with a value.", name);
            Result<ExportQuery> read = name switch
            {
                "shard" => query with { Shard = text },
                "after" => Guid.TryParseExact(text, "D", out var id)
                    ? query with { After = id }
                    : new Rejection("invalid_argument", "after is the id of an event, a UUID.", name),
                "from" => Number(name, text, least: 0, number => query with { From = number }),
                "limit" => Number(name, text, least: 1, number => query with { Limit = number }),
                "checkpoint" => Number(name, text, least: 0, number => query with { Checkpoint = number }),
                _ => new Rejection("unknown_argument", "Known are from, after, limit, checkpoint and shard.", name),
            };
            if (read.Value is null)
                return read;
            query = read.Value;
        }

        return query is { From: not null, After: not null }
            ? new Rejection("invalid_range", "Give from or after, not both.", "after")
            : query;
    }

    private static Result<ExportQuery> Number(string name, string text, long least, Func<long, ExportQuery> with) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least
            ? with(number)
            : new Rejection("invalid_range", $"{name} is a number from {least} on, in decimal digits.", name);
}
