using Lumora.Projections.Ledger;

namespace Lumora.Api.Operations;

/// <summary>
/// What a caller sees of a request that no endpoint answered or that failed: problem details (RFC 9457) with a stable
/// <c>code</c> and a trace id. What went wrong inside is for the log, in development too.
/// </summary>
internal static class Failures
{
    /// <summary>Every problem gets a code; one that an endpoint chose stays.</summary>
    public static IServiceCollection AddFailures(this IServiceCollection services) => services
        .AddProblemDetails(options => options.CustomizeProblemDetails = context => context.ProblemDetails.Extensions
            .TryAdd("code", CodeOf(context.ProblemDetails.Status ?? context.HttpContext.Response.StatusCode)))
        // In development the framework would throw instead of answering 400.
        .Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = false);

    /// <summary>Before all else, authentication included.</summary>
    public static WebApplication UseFailures(this WebApplication app)
    {
        app.UseExceptionHandler(new ExceptionHandlerOptions { StatusCodeSelector = StatusOf });
        app.UseStatusCodePages();
        // Named here, or the framework would put them before the above.
        app.UseRouting();
        app.UseAuthentication();
        app.UseAuthorization();
        return app;
    }

    private static int StatusOf(Exception fault) => fault switch
    {
        BadHttpRequestException refused => refused.StatusCode,
        // Whoever repeats the request is served once the database is back.
        LedgerUnavailableException => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status500InternalServerError,
    };

    private static string CodeOf(int status) => status switch
    {
        StatusCodes.Status401Unauthorized => "unauthenticated",
        StatusCodes.Status403Forbidden => "forbidden",
        StatusCodes.Status404NotFound => "not_found",
        StatusCodes.Status405MethodNotAllowed => "method_not_allowed",
        StatusCodes.Status413PayloadTooLarge => "body_too_large",
        StatusCodes.Status415UnsupportedMediaType => "unsupported_media_type",
        StatusCodes.Status429TooManyRequests => "busy",
        StatusCodes.Status503ServiceUnavailable => "unavailable",
        >= StatusCodes.Status500InternalServerError => "internal",
        _ => "bad_request",
    };
}
