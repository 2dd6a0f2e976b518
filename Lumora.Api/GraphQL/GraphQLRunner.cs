using System.Diagnostics;
using System.Security.Claims;
using GraphQL;
using GraphQL.Execution;
using GraphQL.Transport;
using GraphQLParser.AST;
using Microsoft.Extensions.Options;

namespace Lumora.Api.GraphQL;

/// <summary>Runs one request inside the limits, whatever transport it came by.</summary>
internal sealed partial class GraphQLRunner(
    IDocumentExecuter<LumoraSchema> executer,
    IDocumentBuilder parser,
    IOptions<GraphQLOptions> options,
    ILogger<GraphQLRunner> log)
{
    private readonly DocumentLimits _limits = new(options.Value);

    /// <summary>Runs <paramref name="request"/>; every refusal and fault is in the result's errors.</summary>
    /// <param name="request">As the client sent it.</param>
    /// <param name="queriesOnly">Refuse mutations and subscriptions (GET).</param>
    /// <param name="user">Who calls.</param>
    /// <param name="services">The scope of this operation.</param>
    /// <param name="ct">Cancelled when the client is gone.</param>
    public async Task<ExecutionResult> RunAsync(
        GraphQLRequest request, bool queriesOnly, ClaimsPrincipal? user, IServiceProvider services, CancellationToken ct)
    {
        GraphQLDocument document;
        try
        {
            _limits.CheckTokens(request.Query!);
            document = parser.Build(request.Query!);
            _limits.CheckSelections(document);
        }
        catch (GraphQLParser.Exceptions.GraphQLSyntaxErrorException fault)
        {
            return new ExecutionResult(new SyntaxError(fault));
        }
        catch (GraphQLParser.Exceptions.GraphQLMaxDepthExceededException)
        {
            return Refused(ErrorCodes.DocumentTooLarge, "The document nests its values or types too deeply.");
        }
        catch (ExecutionError refusal)
        {
            return new ExecutionResult(refusal);
        }

        if (Selected(document, request.OperationName) is { Operation: OperationType.Subscription })
            return Refused(ErrorCodes.BadRequest, "There are no subscriptions here.");
        if (queriesOnly && Selected(document, request.OperationName) is { Operation: not OperationType.Query })
            return Refused(ErrorCodes.MethodNotAllowed, "GET only runs queries; use POST.");

        return await executer.ExecuteAsync(new ExecutionOptions
        {
            Document = document,
            Query = request.Query,
            OperationName = request.OperationName,
            Variables = request.Variables,
            Extensions = request.Extensions,
            User = user,
            RequestServices = services,
            UnhandledExceptionDelegate = HideAsync,
            CancellationToken = ct,
        });
    }

    private static ExecutionResult Refused(string code, string message) =>
        new(new ExecutionError(message) { Code = code });

    private static GraphQLOperationDefinition? Selected(GraphQLDocument document, string? operationName) =>
        document.Definitions.OfType<GraphQLOperationDefinition>()
            .FirstOrDefault(o => string.IsNullOrEmpty(operationName) || o.Name?.StringValue == operationName);

    /// <summary>The client gets a trace id, the log gets the exception.</summary>
    private Task HideAsync(UnhandledExceptionContext context)
    {
        var traceId = Activity.Current?.TraceId.ToString() ?? ActivityTraceId.CreateRandom().ToString();
        var field = context.FieldContext is { } at ? $"{at.ParentType.Name}.{at.FieldDefinition.Name}" : "the operation";
        LogFault(context.OriginalException, field, traceId);
        context.Exception = new ExecutionError($"Something went wrong on the server; it was logged as {traceId}.")
        {
            Code = ErrorCodes.Internal,
            Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["traceId"] = traceId },
        };
        return Task.CompletedTask;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Field} failed; trace {TraceId}")]
    private partial void LogFault(Exception fault, string field, string traceId);
}
