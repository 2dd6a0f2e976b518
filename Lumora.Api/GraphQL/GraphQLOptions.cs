namespace Lumora.Api.GraphQL;

/// <summary>Limits of one GraphQL request; configuration section <c>Lumora:GraphQL</c>.</summary>
internal sealed class GraphQLOptions
{
    public const string Section = "Lumora:GraphQL";

    /// <summary>Bytes of a stranger's request body at most.</summary>
    public int BodyBytesMax { get; set; } = 256 * 1024;

    /// <summary>Bytes of the body of somebody who is signed in, at most: 8,192 transfers of one call have room.</summary>
    public int SignedInBodyBytesMax { get; set; } = 4 * 1024 * 1024;

    /// <summary>Tokens of a document at most: bounds the work of parsing and validating.</summary>
    public int TokensMax { get; set; } = 4_000;

    /// <summary>Aliases in a document at most: one request is not a hundred attempts at a mutation.</summary>
    public int AliasesMax { get; set; } = 50;

    /// <summary>Selections in a document after its fragments are spread, at most.</summary>
    public int SelectionsMax { get; set; } = 5_000;

    /// <summary>Levels of nested fields at most.</summary>
    public int DepthMax { get; set; } = 16;

    /// <summary>Values in an answer at most, estimated from page sizes before anything runs.</summary>
    public int ComplexityMax { get; set; } = 50_000;

    /// <summary>Time for one operation.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Install GraphiQL from npm when somebody opens <c>/</c>; else the plain editor stays.</summary>
    public bool GraphiQL { get; set; } = true;

    /// <summary>Messages name the key to change.</summary>
    public IEnumerable<string> Problems()
    {
        if (BodyBytesMax is < 1024 or > 16 * 1024 * 1024)
            yield return $"{Section}:BodyBytesMax is {BodyBytesMax}; it must be 1024 to 16777216 bytes.";
        if (SignedInBodyBytesMax is < 1024 or > 16 * 1024 * 1024)
            yield return $"{Section}:SignedInBodyBytesMax is {SignedInBodyBytesMax}; it must be 1024 to 16777216 bytes.";
        if (TokensMax is < 1000 or > 100_000)
            yield return $"{Section}:TokensMax is {TokensMax}; it must be 1000 to 100000.";
        if (AliasesMax is < 1 or > 10_000)
            yield return $"{Section}:AliasesMax is {AliasesMax}; it must be 1 to 10000.";
        if (SelectionsMax is < 100 or > 1_000_000)
            yield return $"{Section}:SelectionsMax is {SelectionsMax}; it must be 100 to 1000000.";
        if (DepthMax is < 15 or > 64)
            yield return $"{Section}:DepthMax is {DepthMax}; it must be 15 (introspection needs that) to 64.";
        if (ComplexityMax is < 1000)
            yield return $"{Section}:ComplexityMax is {ComplexityMax}; it must be 1000 or more.";
        if (Timeout < TimeSpan.FromMilliseconds(100) || Timeout > TimeSpan.FromMinutes(5))
            yield return $"{Section}:Timeout is {Timeout}; it must be 100 ms to 5 minutes.";
    }
}
