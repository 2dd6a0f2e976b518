using System.Reflection;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Tests;

/// <summary>What the tree promises and no compiler checks.</summary>
public sealed class ArchitectureSpecs
{
    private const int LinesMax = 400;

    private static readonly string s_root = RepositoryFolder();
    private static readonly string[] s_notOurs = [".git", "artifacts", "bin", "node_modules", "obj", "TestResults"];
    private static readonly string[] s_written =
        [".cs", ".csproj", ".props", ".js", ".mjs", ".css", ".html", ".md", ".json", ".yml"];

    // Lock files, bytes to test against, and what a program writes from the code (tests and .ci/run compare it).
    private static readonly string[] s_generated =
        ["lock.json", "/vectors/", "docs/events.md", "Lumora.Api/Internal/Generated/"];

    [Fact]
    public void The_domain_needs_no_package_but_FluentValidation()
    {
        var foreign = typeof(EventCatalog).Assembly.GetReferencedAssemblies().Select(assembly => assembly.Name!)
            .Where(name => !name.StartsWith("System.", StringComparison.Ordinal) && name is not ("System" or "FluentValidation"));
        Assert.Empty(foreign);
    }

    [Fact]
    public void Event_types_live_in_a_file_of_events_of_their_slice()
    {
        var files = Sources().Where(file => file.EndsWith("Events.cs", StringComparison.Ordinal)).ToLookup(
            file => Path.GetDirectoryName(file)!.Replace(Path.DirectorySeparatorChar, '.'), Read, StringComparer.Ordinal);
        Assert.All(EventCatalog.All, contract => Assert.True(
            files[contract.Type.Namespace!].Any(text =>
                text.Contains($"public sealed record {contract.Type.Name}(", StringComparison.Ordinal)),
            contract.Type.FullName));
    }

    /// <summary>A type that the analyzer passes over (.editorconfig, RS0016) could change without anybody's notice.</summary>
    [Fact]
    public void Whatever_an_event_is_made_of_is_frozen()
    {
        var frozen = new[] { "Shipped", "Unshipped" }
            .SelectMany(part => File.ReadLines(Path.Combine(s_root, "Lumora.Domain", $"PublicAPI.{part}.txt")))
            .ToHashSet(StringComparer.Ordinal);
        var parts = PartsOf(EventCatalog.All.Select(contract => contract.Type));
        Assert.Contains(typeof(Amount), parts);
        var loose = parts.Select(type => type.FullName!.Replace('+', '.')).Where(name => !frozen.Contains(name));
        Assert.Empty(loose);
    }

    /// <summary>Compacting deletes events, and every event is a leaf of the log.</summary>
    [Fact]
    public void Nothing_compacts_a_stream()
    {
        const string Name = "Compact" + "Stream";
        var users = Sources().Where(file =>
            file.EndsWith(".cs", StringComparison.Ordinal) && Read(file).Contains(Name, StringComparison.Ordinal));
        Assert.Empty(users);
    }

    [Fact]
    public void No_file_that_people_write_is_longer_than_400_lines()
    {
        var written = Sources()
            .Where(file => s_written.Contains(Path.GetExtension(file), StringComparer.Ordinal))
            .Where(file => !s_generated.Any(part => file.Contains(part, StringComparison.Ordinal)))
            .ToList();
        Assert.Contains(Path.Combine("Lumora.Api", "Program.cs"), written);
        var tooLong = written.Where(file => File.ReadLines(Path.Combine(s_root, file)).Count() > LinesMax);
        Assert.Empty(tooLong);
    }

    private static HashSet<Type> PartsOf(IEnumerable<Type> roots)
    {
        var (seen, waiting) = (new HashSet<Type>(), new Queue<Type>(roots));
        while (waiting.TryDequeue(out var type))
        {
            if (type.HasElementType)
                waiting.Enqueue(type.GetElementType()!);
            foreach (var argument in type.GetGenericArguments())
                waiting.Enqueue(argument);
            if (type.IsArray || type.Assembly != typeof(EventCatalog).Assembly || !seen.Add(type))
                continue;
            foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
                waiting.Enqueue(property.PropertyType);
        }

        return seen;
    }

    // Relative to the repository.
    private static IEnumerable<string> Sources()
    {
        var waiting = new Stack<DirectoryInfo>([new DirectoryInfo(s_root)]);
        while (waiting.TryPop(out var folder))
        {
            foreach (var child in folder.EnumerateDirectories())
            {
                if (!s_notOurs.Contains(child.Name, StringComparer.Ordinal))
                    waiting.Push(child);
            }

            foreach (var file in folder.EnumerateFiles())
                yield return Path.GetRelativePath(s_root, file.FullName);
        }
    }

    private static string Read(string file) => File.ReadAllText(Path.Combine(s_root, file));

    private static string RepositoryFolder()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Lumora.sln")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("The tests run outside the repository.");
    }
}
