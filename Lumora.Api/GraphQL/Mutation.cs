namespace Lumora.Api.GraphQL;

/// <summary>
/// What can be changed. Each mutation takes one <c>input</c> and returns a payload; a refusal by the rules of the
/// business stands in the payload's <c>error</c>, never among the errors of the response.
/// </summary>
public sealed partial class Mutation
{
    private Mutation()
    {
    }
}
