using Lumora.Domain.Kernel;

namespace Lumora.Api.GraphQL;

/// <summary>
/// Why a mutation was refused: part of the mutation's result, so that programs read it like any other field.
/// </summary>
/// <param name="Code">Stable, in snake_case; programs switch on it, for example <c>insufficient_funds</c>.</param>
/// <param name="Message">For people: what was wrong and what to do.</param>
/// <param name="Field">The field of the input at fault, where there is one.</param>
public sealed record UserError(string Code, string Message, string? Field)
{
    /// <summary>The error of a payload: null where nothing was rejected.</summary>
    internal static UserError? From(Rejection? rejection) =>
        rejection is null ? null : new UserError(rejection.Code, rejection.Message, rejection.Field);
}
