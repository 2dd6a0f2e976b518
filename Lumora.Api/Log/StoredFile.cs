using System.Globalization;
using System.IO.Compression;
using Microsoft.Net.Http.Headers;

namespace Lumora.Api.Log;

/// <summary>
/// A file that never changes under its name: whole, in parts (Range), gzipped where that helps and the client takes it, or not at
/// all when the client has it (If-None-Match, If-Modified-Since).
/// </summary>
/// <param name="path">The file.</param>
/// <param name="contentType">Its media type.</param>
/// <param name="cacheControl">Who may keep it, and how long.</param>
/// <param name="compresses">Hashes and ciphertext do not get shorter, JSON does.</param>
internal sealed class StoredFile(string path, string contentType, string cacheControl, bool compresses) : IResult
{
    private const string Gzip = "gzip";

    /// <inheritdoc/>
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        // Opened first: a partial tile may be removed meanwhile, and what is open stays readable.
        var file = TryOpen();
        if (file is null)
        {
            await LogProblems.NotFound("tile_not_found", "The log has no such file any more.").ExecuteAsync(httpContext);
            return;
        }

        await using (file)
        {
            var (request, response) = (httpContext.Request, httpContext.Response);
            response.Headers.CacheControl = cacheControl;
            if (compresses)
                response.Headers.Vary = HeaderNames.AcceptEncoding;
            // To the second, as HTTP writes times.
            var written = File.GetLastWriteTimeUtc(file.SafeFileHandle);
            var modified = new DateTimeOffset(written.Ticks - (written.Ticks % TimeSpan.TicksPerSecond), TimeSpan.Zero);
            // Told apart by when it was written and how long it is, as static files are.
            var tag = string.Create(CultureInfo.InvariantCulture, $"{written.Ticks:x}-{file.Length:x}");
            if (compresses && TakesGzip(request))
                await GzippedAsync(httpContext, file, modified, new EntityTagHeaderValue($"\"{tag}-gz\""));
            else
                await Results.Stream(
                    file, contentType, lastModified: modified, entityTag: new EntityTagHeaderValue($"\"{tag}\""),
                    enableRangeProcessing: true).ExecuteAsync(httpContext);
        }
    }

    // A part is one of the bytes as they are.
    private static bool TakesGzip(HttpRequest request) =>
        !request.Headers.ContainsKey(HeaderNames.Range)
        && request.GetTypedHeaders().AcceptEncoding.Any(coding => coding.Value.Equals(Gzip, StringComparison.OrdinalIgnoreCase) && coding.Quality is null or > 0);

    private static bool IsKnown(HttpRequest request, EntityTagHeaderValue tag, DateTimeOffset modified)
    {
        var headers = request.GetTypedHeaders();
        // RFC 9110 §13.1.3: with If-None-Match the time counts for nothing.
        return headers.IfNoneMatch.Count > 0
            ? headers.IfNoneMatch.Any(known => known.Equals(EntityTagHeaderValue.Any) || known.Compare(tag, useStrongComparison: false))
            : headers.IfModifiedSince >= modified;
    }

    private FileStream? TryOpen()
    {
        try
        {
            return new FileStream(
                path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0, FileOptions.Asynchronous | FileOptions.SequentialScan);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private async Task GzippedAsync(HttpContext context, FileStream file, DateTimeOffset modified, EntityTagHeaderValue tag)
    {
        var headers = context.Response.GetTypedHeaders();
        (headers.ETag, headers.LastModified) = (tag, modified);
        if (IsKnown(context.Request, tag, modified))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        context.Response.ContentType = contentType;
        context.Response.Headers.ContentEncoding = Gzip;
        if (HttpMethods.IsHead(context.Request.Method))
            return;
        await using var zipped = new GZipStream(context.Response.Body, CompressionLevel.Fastest, leaveOpen: true);
        await file.CopyToAsync(zipped, context.RequestAborted);
    }
}
