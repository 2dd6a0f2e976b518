using System.Reflection;
using GraphQL;
using GraphQL.Types;
using Lumora.Domain.Kernel;

namespace Lumora.Api.GraphQL;

/// <summary>Which GraphQL type stands for a CLR type: the house scalars, then records and enums by reflection.</summary>
internal sealed class GraphTypeMapping : IGraphTypeMappingProvider
{
    public Type? GetGraphTypeFromClrType(Type clrType, bool isInputType, Type? preferredType)
    {
        if (clrType == typeof(Amount))
            return typeof(AmountScalar);
        if (clrType == typeof(long))
            return typeof(Int64Scalar);
        if (clrType == typeof(DateTimeOffset))
            return typeof(DateTimeScalar);
        if (preferredType is not null || SchemaTypes.BuiltInScalarMappings.ContainsKey(clrType))
            return preferredType;
        if (clrType.IsEnum)
            return typeof(ClrEnum<>).MakeGenericType(clrType);
        return (isInputType ? typeof(ClrInput<>) : typeof(ClrObject<>)).MakeGenericType(clrType);
    }

    /// <summary>
    /// The name in the schema: <c>[Name]</c> wins; else the CLR name without the suffix "View" that read models carry,
    /// with type arguments in front (<c>Connection&lt;NodeView&gt;</c> is <c>NodeConnection</c>).
    /// </summary>
    public static string NameOf(Type type)
    {
        if (type.GetCustomAttribute<NameAttribute>() is { } named)
            return named.Name;
        var name = type.Name.Split('`')[0];
        if (name.Length > "View".Length && name.EndsWith("View", StringComparison.Ordinal))
            name = name[..^"View".Length];
        return string.Concat(type.GetGenericArguments().Select(NameOf)) + name;
    }
}

/// <summary>An output type from a CLR type's public members, described by its documentation.</summary>
internal sealed class ClrObject<T> : AutoRegisteringObjectGraphType<T>
{
    protected override void ConfigureGraph()
    {
        base.ConfigureGraph();
        Name = GraphTypeMapping.NameOf(typeof(T));
        Description ??= XmlDescriptions.Of(typeof(T));
    }

    protected override FieldType? CreateField(MemberInfo memberInfo)
    {
        var field = base.CreateField(memberInfo);
        if (field is null)
            return null;
        field.Description ??= XmlDescriptions.Of(memberInfo);
        if (memberInfo is MethodInfo method && method.GetParameters().Any(p => p.ParameterType == typeof(PageRequest)))
            PageArguments.AddTo(field);
        return field;
    }

    protected override ArgumentInformation GetArgumentInformation<TParameterType>(
        FieldType fieldType, ParameterInfo parameterInfo)
    {
        var argument = base.GetArgumentInformation<TParameterType>(fieldType, parameterInfo);
        if (parameterInfo.ParameterType == typeof(PageRequest))
            argument.SetDelegate(PageRequest.From);
        return argument;
    }

    protected override void ApplyArgumentAttributes(ParameterInfo parameterInfo, QueryArgument queryArgument)
    {
        base.ApplyArgumentAttributes(parameterInfo, queryArgument);
        queryArgument.Description ??= XmlDescriptions.Of(parameterInfo);
    }
}

/// <summary>An input type from a CLR type's public members, described by its documentation.</summary>
internal sealed class ClrInput<T> : AutoRegisteringInputObjectGraphType<T>
{
    protected override void ConfigureGraph()
    {
        base.ConfigureGraph();
        Description ??= XmlDescriptions.Of(typeof(T));
    }

    protected override FieldType? CreateField(MemberInfo memberInfo)
    {
        var field = base.CreateField(memberInfo);
        if (field is not null)
            field.Description ??= XmlDescriptions.Of(memberInfo);
        return field;
    }
}

/// <summary>An enumeration, described by its documentation.</summary>
internal sealed class ClrEnum<T> : EnumerationGraphType<T>
    where T : Enum
{
    public ClrEnum()
    {
        Description ??= XmlDescriptions.Of(typeof(T));
        foreach (var value in Values)
            value.Description ??= XmlDescriptions.Of(typeof(T).GetField(value.Value!.ToString()!)!);
    }
}

/// <summary>The arguments of a connection field.</summary>
internal static class PageArguments
{
    public static void AddTo(FieldType field)
    {
        field.Arguments ??= [];
        field.Arguments.Add(new QueryArgument<IntGraphType>
        {
            Name = "first",
            Description = $"Rows wanted from the start of the range, 1 to {PageRequest.RowsMax}; " +
                $"{PageRequest.RowsDefault} when neither first nor last is given.",
        });
        field.Arguments.Add(new QueryArgument<StringGraphType>
        {
            Name = "after",
            Description = "Only rows after this cursor.",
        });
        field.Arguments.Add(new QueryArgument<IntGraphType>
        {
            Name = "last",
            Description = $"Rows wanted from the end of the range, 1 to {PageRequest.RowsMax}; not together with first.",
        });
        field.Arguments.Add(new QueryArgument<StringGraphType>
        {
            Name = "before",
            Description = "Only rows before this cursor.",
        });
    }
}
