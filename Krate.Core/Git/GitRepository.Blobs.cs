namespace Krate.Core.Git;

public sealed partial class GitRepository
{
    /// <summary>Files on their way to clients: each is a process for as long as the client takes.</summary>
    private static readonly SemaphoreSlim Streams = new(64);

    /// <summary>The bytes of a blob.</summary>
    /// <returns>Null when it has more than <paramref name="maxBytes"/>; then it was not read whole.</returns>
    /// <exception cref="GitException">There is no blob of this id.</exception>
    public async Task<byte[]?> ReadBlobAsync(string id, int maxBytes, CancellationToken ct)
    {
        var output = await RunOrThrowAsync(["cat-file", "blob", id], ct, maxBytes);
        return output.IsCut ? null : output.Bytes;
    }

    /// <summary>The first bytes of a blob.</summary>
    public async Task<byte[]> ReadBlobStartAsync(string id, int bytes, CancellationToken ct) => (await RunOrThrowAsync(["cat-file", "blob", id], ct, bytes)).Bytes;

    /// <summary>Sends a blob of any size; memory does not grow with it.</summary>
    public async Task CopyBlobAsync(string id, Stream to, CancellationToken ct)
    {
        await Streams.WaitAsync(ct);
        try
        {
            await using var git = GitProcess.Start(Directory, ["cat-file", "blob", id]);
            git.Input.Close();
            await git.Output.CopyToAsync(to, 64 << 10, ct);
            if (await git.WaitAsync(ct) is not 0 and var exit) throw new GitException($"git cat-file failed: {git.ErrorText.Trim()}", exit);
        }
        finally
        {
            Streams.Release();
        }
    }
}
