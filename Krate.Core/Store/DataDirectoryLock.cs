namespace Krate.Core.Store;

/// <summary>Keeps a second process off the SQLite database of a data directory, until disposed or the process ends.</summary>
public sealed class DataDirectoryLock : IDisposable
{
    private readonly FileStream file;

    private DataDirectoryLock(FileStream file) => this.file = file;

    /// <summary>Makes the directory when needed and takes its lock.</summary>
    /// <exception cref="StartupException">It cannot be written, or another process holds it.</exception>
    public static DataDirectoryLock Take(DataDirectory directory)
    {
        try
        {
            directory.Create();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"The data directory {directory.Path} cannot be written: {e.Message}", e);
        }

        return Lock(directory);
    }

    public void Dispose() => file.Dispose();

    private static DataDirectoryLock Lock(DataDirectory directory)
    {
        try
        {
            // Advisory lock of the operating system: gone with the process, however it ends.
            return new(new FileStream(directory.LockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (UnauthorizedAccessException e)
        {
            throw new StartupException($"The data directory {directory.Path} cannot be written: {e.Message}", e);
        }
        catch (IOException e)
        {
            throw new StartupException($"Another Krate process uses the data directory {directory.Path}. Stop it, or give this one another directory with Krate__Data.", e);
        }
    }
}
