using Lumora.Domain.Kernel;

namespace Lumora.Api.Identity;

/// <summary>Refusals of identity as problem details (RFC 9457) with a stable <c>code</c>.</summary>
internal static class AuthProblems
{
    /// <summary>Refusals of a sign-in are 401, of the form of a request 400.</summary>
    public static IResult From(Rejection rejection) => Of(StatusOf(rejection.Code), rejection);

    public static IResult Of(int status, Rejection rejection)
    {
        var extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["code"] = rejection.Code };
        if (rejection.Field is not null)
            extensions["field"] = rejection.Field;
        return Results.Problem(rejection.Message, statusCode: status, title: rejection.Code, extensions: extensions);
    }

    /// <summary>Writes the refusal of a request whose caller could not be established.</summary>
    public static Task ChallengeAsync(HttpContext context, string scheme, Rejection rejection)
    {
        // Nobody can sign in to what is not there: then routing's own answer, 404 or 405, is the true one.
        if (context.GetEndpoint() is not RouteEndpoint)
            return NotRoutedAsync(context);
        context.Response.Headers.WWWAuthenticate = scheme;
        return From(rejection).ExecuteAsync(context);
    }

    /// <summary>Writes the refusal of a request whose caller may not do this.</summary>
    public static Task ForbidAsync(HttpContext context) => Of(
        StatusCodes.Status403Forbidden, new Rejection("forbidden", "You are signed in, but may not do this."))
        .ExecuteAsync(context);

    private static Task NotRoutedAsync(HttpContext context)
    {
        if (context.GetEndpoint() is { RequestDelegate: { } refuse })
            return refuse(context);
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    private static int StatusOf(string code) => code switch
    {
        "body_malformed" or "message_malformed" or "message_incomplete" or "signature_malformed" => StatusCodes.Status400BadRequest,
        "body_too_large" => StatusCodes.Status413PayloadTooLarge,
        "busy" => StatusCodes.Status429TooManyRequests,
        _ => StatusCodes.Status401Unauthorized,
    };
}
