using Lumora.Domain.Kernel;

namespace Lumora.Api.Log;

/// <summary>Refusals of the log's endpoints: problem details (RFC 9457) with a stable <c>code</c>.</summary>
internal static class LogProblems
{
    /// <summary>The event is a leaf, but nothing that is published covers it.</summary>
    public static readonly Rejection NotPublished =
        new("event_not_published", "The event is in no checkpoint yet: ask again in a second.");

    public static IResult NotFound(Rejection rejection) => NotFound(rejection.Code, rejection.Message);

    public static IResult NotFound(string code, string detail) => Of(StatusCodes.Status404NotFound, code, detail);

    public static IResult Of(int status, string code, string detail, string? field = null)
    {
        var extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["code"] = code };
        if (field is not null)
            extensions["field"] = field;
        return Results.Problem(detail, statusCode: status, extensions: extensions);
    }
}
