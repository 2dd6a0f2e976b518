using Lumora.Domain.Kernel;

namespace Lumora.Api.Tasks;

/// <summary>Refusals of the node protocol as problem details (RFC 9457) with a stable <c>code</c>.</summary>
internal static class Problems
{
    /// <summary>The answer for <paramref name="rejection"/>; its code decides the status.</summary>
    public static IResult From(Rejection rejection) => Results.Problem(
        statusCode: StatusOf(rejection.Code),
        title: rejection.Code,
        detail: rejection.Message,
        extensions: rejection.Field is null
            ? new Dictionary<string, object?>(StringComparer.Ordinal) { ["code"] = rejection.Code }
            : new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["code"] = rejection.Code,
                ["field"] = rejection.Field,
            });

    private static int StatusOf(string code) => code switch
    {
        "unknown_lease" => StatusCodes.Status404NotFound,
        "lease_finished" or "wrong_offset" => StatusCodes.Status409Conflict,
        "lease_expired" => StatusCodes.Status410Gone,
        "body_too_large" or "result_too_large" => StatusCodes.Status413PayloadTooLarge,
        "node_suspended" => StatusCodes.Status403Forbidden,
        "busy" => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status422UnprocessableEntity,
    };
}
