using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lumora.Chain.Tests.Verification;

/// <summary>A file of cases in <c>vectors/</c> (its README has the format): one JSON object on a line.</summary>
internal static class VectorFile
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>
    /// The cases of the file, after a look that its generator still makes the same bytes. With <c>LUMORA_UPDATE_VECTORS=1</c> the
    /// file is written anew.
    /// </summary>
    public static T[] Read<T>(string name, IEnumerable<T> generated)
    {
        var file = Path.Combine(Folder(), name);
        var lines = generated.Select(one => JsonSerializer.Serialize(one, Json));
        var printed = $"[\n{string.Join(",\n", lines)}\n]\n";
        if (Environment.GetEnvironmentVariable("LUMORA_UPDATE_VECTORS") == "1")
            File.WriteAllText(file, printed);
        var stored = File.ReadAllText(file);
        Assert.Equal(printed, stored);
        return JsonSerializer.Deserialize<T[]>(stored, Json)!;
    }

    private static string Folder([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "vectors");
}

/// <summary>What the file says of a case.</summary>
internal interface IVector
{
    /// <summary>What was changed.</summary>
    string Desc { get; }

    /// <summary>Whether it must be refused.</summary>
    bool WantErr { get; }

    /// <summary>What the refusal says: a part of its message. Absent when it is accepted.</summary>
    string? Reason { get; }
}

/// <summary>Runs the cases of a file.</summary>
internal static class Verdicts
{
    /// <summary>Each case must do what its file says; a refusal must come by one of the documented exceptions.</summary>
    public static void Check<T>(IReadOnlyCollection<T> cases, Action<T> judge)
        where T : IVector
    {
        Assert.NotEmpty(cases);
        Assert.Equal(cases.Count, cases.Select(one => one.Desc).Distinct(StringComparer.Ordinal).Count());
        TestContext.Current.TestOutputHelper!.WriteLine($"{cases.Count} cases, {cases.Count(one => one.WantErr)} refused");
        var wrong = cases.Select(one => Wrong(one, judge)).OfType<string>().ToList();
        if (wrong.Count > 0)
            Assert.Fail(string.Join('\n', wrong));
    }

    private static string? Wrong<T>(T one, Action<T> judge)
        where T : IVector
    {
        string? refusal = null;
        try
        {
            judge(one);
        }
        catch (Exception exception) when (exception is FormatException or Chain.Verification.VerificationException)
        {
            refusal = exception.Message;
        }

        if (one.WantErr != refusal is not null)
            return $"{one.Desc}: {refusal ?? "accepted"}";
        return refusal is null || refusal.Contains(one.Reason!, StringComparison.Ordinal)
            ? null
            : $"{one.Desc}: \"{refusal}\" does not say \"{one.Reason}\"";
    }
}
