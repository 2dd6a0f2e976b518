using System.Reflection;
using Lumora.Chain.Verification;

namespace Lumora.Chain.Tests.Verification;

/// <summary>An auditor's code must be readable and runnable apart from the server's.</summary>
public sealed class ArchitectureTests
{
    private const BindingFlags All =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    private static readonly string[] Pure =
        ["Lumora.Chain.Merkle", "Lumora.Chain.Notes", "Lumora.Chain.Tiles", "Lumora.Chain.Verification", "Lumora.Chain.Witnesses"];

    [Fact]
    public void The_verifier_knows_no_database_and_no_server()
    {
        var offences = PureTypes()
            .SelectMany(type => TypesOf(type).Select(used => (type, used)))
            .Where(pair => !IsAllowed(pair.used, "Lumora.Chain.", [.. Pure]))
            .Select(pair => $"{pair.type.FullName} uses {pair.used.FullName}")
            .Distinct(StringComparer.Ordinal);
        Assert.Empty(offences);
    }

    [Fact]
    public void The_verifier_shares_no_code_with_what_makes_proofs()
    {
        var offences = PureTypes()
            .Where(type => type.Namespace == "Lumora.Chain.Verification")
            .SelectMany(type => TypesOf(type).Select(used => (type, used)))
            .Where(pair => pair.used.Namespace is "Lumora.Chain.Merkle" || pair.used.Name == "CompactRange")
            .Select(pair => $"{pair.type.FullName} uses {pair.used.FullName}");
        Assert.Empty(offences);
    }

    private static IEnumerable<Type> PureTypes() =>
        typeof(ProofVerifier).Assembly.GetTypes().Where(type => Pure.Contains(type.Namespace, StringComparer.Ordinal));

    private static bool IsAllowed(Type used, string own, string[] namespaces)
    {
        var name = used.Namespace ?? "";
        if (name.StartsWith(own, StringComparison.Ordinal))
            return namespaces.Contains(name, StringComparer.Ordinal);
        return name.StartsWith("System", StringComparison.Ordinal)
            || name.StartsWith("Microsoft.CodeAnalysis", StringComparison.Ordinal)
            || name.StartsWith("NSec.Cryptography", StringComparison.Ordinal)
            || name.StartsWith("Org.BouncyCastle.Crypto", StringComparison.Ordinal)
            || name.StartsWith("Lumora.Domain.", StringComparison.Ordinal)
            || name.Length == 0;
    }

    /// <summary>Types of fields, signatures and local variables, and of every method that a body calls.</summary>
    private static IEnumerable<Type> TypesOf(Type type)
    {
        IEnumerable<Type> used = [type.BaseType ?? typeof(object), .. type.GetInterfaces()];
        used = used.Concat(type.GetFields(All).Select(field => field.FieldType));
        foreach (var method in type.GetMethods(All).Cast<MethodBase>().Concat(type.GetConstructors(All)))
        {
            used = used.Concat(method.GetParameters().Select(parameter => parameter.ParameterType));
            if (method is MethodInfo { ReturnType: var returned })
                used = used.Append(returned);
            if (method.GetMethodBody() is { } body)
                used = used.Concat(body.LocalVariables.Select(local => local.LocalType)).Concat(CalledFrom(method, body));
        }

        return used.SelectMany(Unwrap);
    }

    /// <summary>Resolves every 4 bytes of the body that are a token of a member; false hits name members of our own modules only.</summary>
    private static IEnumerable<Type> CalledFrom(MethodBase method, MethodBody body)
    {
        const byte call = 0x28;
        const byte callVirtual = 0x6F;
        const byte create = 0x73;
        var il = body.GetILAsByteArray()!;
        for (var i = 0; i + 4 < il.Length; i++)
        {
            if (il[i] is not (call or callVirtual or create))
                continue;
            Type? declaring = null;
            try
            {
                declaring = method.Module.ResolveMethod(
                    BitConverter.ToInt32(il, i + 1),
                    method.DeclaringType!.GetGenericArguments(),
                    method.IsGenericMethod ? method.GetGenericArguments() : null)?.DeclaringType;
            }
            catch (Exception exception) when (exception is ArgumentException or BadImageFormatException)
            {
                // An operand that only looks like an instruction.
            }

            if (declaring is not null)
                yield return declaring;
        }
    }

    private static IEnumerable<Type> Unwrap(Type type)
    {
        if (type.HasElementType)
            return Unwrap(type.GetElementType()!);
        return type.IsGenericParameter ? [] : [type, .. type.GetGenericArguments().SelectMany(Unwrap)];
    }
}
