using Lumora.Api.Embedded;
using Lumora.Projections.Hosting;
using Microsoft.Extensions.Options;

namespace Lumora.Api.GraphQL;

/// <summary>
/// The page at <c>/</c> to try queries: GraphiQL's published bundle, installed from npm into the home folder the first
/// time somebody opens the page; until then, and without npm, a small editor of our own. Nothing comes from a CDN.
/// </summary>
internal sealed partial class Explorer(
    LumoraHome home, IOptions<GraphQLOptions> options, IHostApplicationLifetime lifetime, ILogger<Explorer> log)
{
    // GraphiQL's editor sets style attributes; scripts are only files of this host.
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; " +
        "img-src 'self' data:; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static readonly Dictionary<string, string> s_packaged = new(StringComparer.Ordinal)
    {
        ["graphiql.js"] = "graphiql/graphiql.min.js",
        ["graphiql.css"] = "graphiql/graphiql.min.css",
        ["react.js"] = "react/umd/react.production.min.js",
        ["react-dom.js"] = "react-dom/umd/react-dom.production.min.js",
    };

    private static readonly HashSet<string> s_own =
        new(StringComparer.Ordinal) { "plain.js", "plain.css", "start.js", "start.css" };

    private readonly Lock _gate = new();
    private Task? _installing;

    /// <summary>The page itself.</summary>
    public IResult Page(HttpResponse response)
    {
        response.Headers.ContentSecurityPolicy = ContentSecurityPolicy;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers.CacheControl = "no-cache";
        return Results.Stream(Own(IsInstalled() ? "graphiql.html" : "plain.html"), "text/html; charset=utf-8");
    }

    /// <summary>A file that a page loads; only names of the two lists above exist.</summary>
    public IResult File(HttpResponse response, string name)
    {
        response.Headers.XContentTypeOptions = "nosniff";
        var type = name.EndsWith(".css", StringComparison.Ordinal) ? "text/css" : "text/javascript";
        if (s_own.Contains(name))
            return Results.Stream(Own(name), type + "; charset=utf-8");
        return s_packaged.TryGetValue(name, out var path) && IsInstalled()
            ? Results.File(Path.Combine(Folder, "node_modules", path), type + "; charset=utf-8")
            : Results.NotFound();
    }

    private string Folder => home.Folder("graphiql", DevstackFiles.VersionOf("graphiql"));

    private bool IsInstalled()
    {
        return options.Value.GraphiQL && InstallAsync().IsCompletedSuccessfully
            && System.IO.File.Exists(Path.Combine(Folder, "node_modules", s_packaged["graphiql.js"]));
    }

    /// <summary>Installs GraphiQL once; ends when it is there or cannot be had (the log says why).</summary>
    internal Task InstallAsync()
    {
        lock (_gate)
            return _installing ??= Task.Run(() => InstallFilesAsync(lifetime.ApplicationStopping));
    }

    private async Task InstallFilesAsync(CancellationToken ct)
    {
        try
        {
            DevstackFiles.Copy("graphiql", Folder);
            await DevstackFiles.NpmInstallAsync(Folder, LogProgress, ct);
        }
        catch (OperationCanceledException)
        {
            // The host stops; the next start installs.
        }
        catch (Exception fault) when (fault is InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            LogAbsent(fault.Message);
        }
    }

    private static Stream Own(string name) =>
        typeof(Explorer).Assembly.GetManifestResourceStream("explorer/" + name)
        ?? throw new InvalidOperationException($"The page {name} is missing in the assembly.");

    [LoggerMessage(Level = LogLevel.Information, Message = "Installing GraphiQL: {Line}")]
    private partial void LogProgress(string line);

    [LoggerMessage(Level = LogLevel.Warning, Message = "GraphiQL is not available, the plain editor is served: {Reason}")]
    private partial void LogAbsent(string reason);
}
