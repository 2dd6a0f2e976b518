using System.Reflection;
using Lumora.Node;

namespace Lumora.Integration.Tests.Nodes;

/// <summary>The agent runs on other people's machines: it needs no database and carries none of the host.</summary>
public sealed class AgentReferencesSpecs
{
    private static readonly string[] s_hostOnly =
        ["Marten", "Npgsql", "Weasel", "Wolverine", "JasperFx", "Lumora.Projections", "Lumora.Chain", "Lumora.Api"];

    [Fact]
    public void The_agent_knows_no_database_no_message_bus_and_nothing_of_the_host()
    {
        var (seen, waiting) = (new HashSet<string>(StringComparer.Ordinal), new Queue<Assembly>([typeof(NodeAgent).Assembly]));
        while (waiting.TryDequeue(out var assembly))
        {
            foreach (var reference in assembly.GetReferencedAssemblies())
            {
                if (seen.Add(reference.Name!) && reference.Name!.StartsWith("Lumora.", StringComparison.Ordinal))
                    waiting.Enqueue(Assembly.Load(reference));
            }
        }

        Assert.Contains("Lumora.Domain", seen);
        var foreign = seen.Where(name => s_hostOnly.Any(host => name.StartsWith(host, StringComparison.Ordinal)));
        Assert.Empty(foreign);
    }
}
