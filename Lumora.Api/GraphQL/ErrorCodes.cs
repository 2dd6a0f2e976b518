namespace Lumora.Api.GraphQL;

/// <summary>The values of <c>extensions.code</c> that this server adds to those of the GraphQL library. Stable.</summary>
internal static class ErrorCodes
{
    public const string Unauthenticated = "UNAUTHENTICATED";
    public const string Forbidden = "FORBIDDEN";
    public const string InvalidPage = "INVALID_PAGE";
    public const string PageTooLarge = "PAGE_TOO_LARGE";
    public const string InvalidCursor = "INVALID_CURSOR";
    public const string InvalidArgument = "INVALID_ARGUMENT";
    public const string InvalidRange = "INVALID_RANGE";
    public const string Internal = "INTERNAL";
    public const string Timeout = "TIMEOUT";
    public const string BadRequest = "BAD_REQUEST";
    public const string BodyTooLarge = "BODY_TOO_LARGE";
    public const string DocumentTooLarge = "DOCUMENT_TOO_LARGE";
    public const string TooManyAliases = "TOO_MANY_ALIASES";
    public const string MethodNotAllowed = "METHOD_NOT_ALLOWED";
    public const string UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE";
    public const string NotAcceptable = "NOT_ACCEPTABLE";
}
