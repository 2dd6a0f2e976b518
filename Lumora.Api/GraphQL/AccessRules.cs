using GraphQL.Types;
using GraphQL.Utilities;
using GraphQL.Validation;
using GraphQLParser.AST;
using Lumora.Domain.Kernel;

namespace Lumora.Api.GraphQL;

/// <summary>Refuses to start with a root field that does not say who may use it: forgotten means closed, loudly.</summary>
internal sealed class AccessIsDeclared : BaseSchemaNodeVisitor
{
    public override void VisitObjectFieldDefinition(FieldType field, IObjectGraphType type, ISchema schema)
    {
        var isRoot = type == schema.Query || type == schema.Mutation || type == schema.Subscription;
        if (isRoot && AccessAttribute.On(field) is null)
        {
            throw new InvalidOperationException(
                $"{type.Name}.{field.Name} does not declare who may use it: " +
                "add [Allow(roles)], [AllowSignedIn] or [AllowAnyone] to its method.");
        }
    }
}

/// <summary>
/// Checks every field of the operation before anything runs: a request with one forbidden field does nothing at all.
/// Only the operation that will run and the fragments that it reaches are checked.
/// </summary>
internal sealed class AccessRule : ValidationRuleBase
{
    public override ValueTask<INodeVisitor?> GetPreNodeVisitorAsync(ValidationContext context) =>
        new(new Visitor(context));

    private sealed class Visitor(ValidationContext context) : INodeVisitor
    {
        private readonly Actor? _caller = Callers.FromPrincipal(context.User);
        private readonly HashSet<ASTNode> _reached =
            [context.Operation, .. context.GetRecursivelyReferencedFragments(context.Operation) ?? []];

        private bool _checking;

        public ValueTask EnterAsync(ASTNode node, ValidationContext context)
        {
            if (node is GraphQLOperationDefinition or GraphQLFragmentDefinition)
                _checking = _reached.Contains(node);
            if (!_checking || node is not GraphQLField field || context.TypeInfo.GetFieldDef() is not { } definition)
                return default;

            if (AccessAttribute.On(definition)?.Refusal(_caller) is { } refusal)
                context.ReportError(new AccessError(context, field, refusal));
            return default;
        }

        public ValueTask LeaveAsync(ASTNode node, ValidationContext context) => default;
    }
}

/// <summary>The caller may not use a field of the request.</summary>
internal sealed class AccessError : ValidationError
{
    public AccessError(ValidationContext context, GraphQLField field, Rejection refusal)
        : base(context.Document.Source, number: null!, $"{field.Name.StringValue}: {refusal.Message}", field) =>
        Code = refusal.Code;
}
