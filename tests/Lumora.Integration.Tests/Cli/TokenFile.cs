using System.Text;
using Lumora.Projections.Hosting;

namespace Lumora.Integration.Tests.Cli;

/// <summary>An access token in a file of its owner alone.</summary>
internal sealed class TokenFile : IDisposable
{
    public TokenFile(string token) => Assert.True(SecretFile.TryCreate(Path, Encoding.ASCII.GetBytes($"{token}\n")));

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"lumora-token-{Guid.NewGuid():N}");

    public void Dispose() => File.Delete(Path);
}
