namespace Lumora.Api.Log;

/// <summary>Refusals of the log's endpoints: problem details (RFC 9457) with a stable <c>code</c>.</summary>
internal static class LogProblems
{
    public static IResult NotFound(string code, string detail) => Of(StatusCodes.Status404NotFound, code, detail);

    public static IResult Of(int status, string code, string detail, string? field = null)
    {
        var extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["code"] = code };
        if (field is not null)
            extensions["field"] = field;
        return Results.Problem(detail, statusCode: status, extensions: extensions);
    }
}
