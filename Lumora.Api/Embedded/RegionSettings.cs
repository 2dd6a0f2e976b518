using Lumora.Api.Operations;
using Lumora.Projections.EventStore;

namespace Lumora.Api.Embedded;

/// <summary>
/// The shards that the settings ask for. <c>Lumora:Regions:{name}</c> is the connection string of a region shard's database; the
/// region role is played by <c>Lumora:Region</c>, or by the only region. Without regions one shard plays both roles.
/// </summary>
internal static class RegionSettings
{
    private const string Section = "Lumora:Regions";
    private const string Role = "Lumora:Region";
    private const int NameCharsMax = 32;

    /// <summary>The map of shards over the database of <paramref name="global"/>.</summary>
    /// <exception cref="StartupException">A setting is wrong; the message names it.</exception>
    public static ShardMap Read(IConfiguration configuration, string global)
    {
        var regions = configuration.GetSection(Section).GetChildren()
            .ToDictionary(region => region.Key, region => region.Value ?? "", StringComparer.Ordinal);
        if (regions.Count == 0)
            return new ShardMap(global);
        foreach (var (name, connection) in regions)
        {
            if (name == ShardMap.DefaultShard || name.Length > NameCharsMax || !name.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-'))
                throw new StartupException($"{KeyOf(name)}: a region has a name of its own of a-z, 0-9 and -, at most {NameCharsMax} characters.");
            if (string.IsNullOrWhiteSpace(connection))
                throw new StartupException($"{KeyOf(name)} must be the connection string of the region's database.");
        }

        var role = configuration[Role] ?? (regions.Count == 1 ? regions.Keys.Single() : null);
        if (role is null || !regions.ContainsKey(role))
            throw new StartupException($"{Role} must name one of the regions {string.Join(", ", regions.Keys.Order(StringComparer.Ordinal))}.");
        regions[ShardMap.DefaultShard] = global;
        return new ShardMap(regions, new Dictionary<ShardRole, string>
        {
            [ShardRole.Global] = ShardMap.DefaultShard,
            [ShardRole.Region] = role,
        });
    }

    /// <summary>The setting with the connection string of <paramref name="shard"/>.</summary>
    public static string KeyOf(string shard) => shard == ShardMap.DefaultShard ? "ConnectionStrings:Lumora" : $"{Section}:{shard}";
}
