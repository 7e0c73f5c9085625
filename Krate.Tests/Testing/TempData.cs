using Krate.Core.Store;

namespace Krate.Tests.Testing;

/// <summary>A data directory that is gone after the test.</summary>
public sealed class TempData : IDisposable
{
    private readonly DirectoryInfo root = System.IO.Directory.CreateTempSubdirectory("krate-test-");

    public TempData()
    {
        Directory = new DataDirectory(Path.Combine(root.FullName, "data"));
        Directory.Create();
    }

    public DataDirectory Directory { get; }

    public void Dispose() => root.Delete(recursive: true);
}
