namespace Krate.Core.Store;

/// <summary>The layout of Krate's data directory. Paths are absolute; folders are made with mode 0700 by <see cref="Create"/>.</summary>
public sealed class DataDirectory(string path)
{
    public string Path { get; } = System.IO.Path.GetFullPath(path);

    /// <summary>SQLite database file.</summary>
    public string Database => In("krate.db");

    /// <summary>Signing keys, certificates, the Secret key, data-protection keys. 0700, files 0600.</summary>
    public string Keys => In("keys");

    /// <summary>Bare repositories.</summary>
    public string Git => In("git");

    /// <summary>Content-addressed blobs.</summary>
    public string Blobs => In("blobs");

    public string AdminKubeconfig => In("admin.kubeconfig");

    /// <summary>Held exclusively while a process uses the SQLite database.</summary>
    public string LockFile => In("krate.lock");

    public void Create()
    {
        foreach (var folder in new[] { Path, Keys, Git, Blobs })
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private string In(string name) => System.IO.Path.Combine(Path, name);
}
