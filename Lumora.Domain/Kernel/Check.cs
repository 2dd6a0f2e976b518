using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Lumora.Domain.Kernel;

/// <summary>Assertions that stay on in Release: a ledger that goes on after a broken invariant is worse than none.</summary>
public static class Check
{
    /// <summary>Throws <see cref="InvariantViolationException"/> when <paramref name="condition"/> is false.</summary>
    public static void That(
        [DoesNotReturnIf(false)] bool condition,
        [CallerArgumentExpression(nameof(condition))] string? invariant = null)
    {
        if (!condition)
            throw new InvariantViolationException(invariant ?? "unnamed invariant");
    }
}

/// <summary>A rule that must hold in every state did not. Always a fault of the software, never of its user.</summary>
public sealed class InvariantViolationException(string invariant) : Exception($"Invariant violated: {invariant}");
