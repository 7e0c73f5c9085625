using System.Text;

namespace Krate.Core.Git;

/// <summary>
/// A bare repository, read through the git program. Every call is a short-lived process, bounded in time, output and number.
/// Knows no permission: whoever holds one may read all of it. Thread-safe.
/// </summary>
/// <remarks>
/// Names are UTF-8. What git answers that is not is shown with replacement characters and cannot be asked for again.
/// Methods throw <see cref="GitException"/> for a repository that is damaged and <see cref="TimeoutException"/> for what takes too long.
/// </remarks>
public sealed partial class GitRepository(string directory)
{
    /// <summary>Reads beyond this many wait their turn: each is a process.</summary>
    private static readonly SemaphoreSlim Slots = new(Math.Max(8, Environment.ProcessorCount * 4));
    private static readonly TimeSpan DefaultLimit = TimeSpan.FromSeconds(20);

    public string Directory { get; } = directory;

    /// <summary>A folder of objects as a value of <c>GIT_ALTERNATE_OBJECT_DIRECTORIES</c>: git takes a list with colons, or names in quotes.</summary>
    internal static string Borrowed(string objects) => $"\"{objects.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    /// <summary>Runs git to its end, keeping its output.</summary>
    /// <param name="maxBytes">More output than this ends git; <see cref="GitOutput.IsCut"/> tells.</param>
    /// <exception cref="TimeoutException">It took longer than <paramref name="limit"/> (20 s unless told).</exception>
    public async Task<GitOutput> RunAsync(
        IReadOnlyList<string> arguments, CancellationToken ct, int maxBytes = 16 << 20, TimeSpan? limit = null, ReadOnlyMemory<byte> input = default, IReadOnlyDictionary<string, string>? environment = null)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(limit ?? DefaultLimit);
        try
        {
            await Slots.WaitAsync(patience.Token);
            try
            {
                await using var git = GitProcess.Start(Directory, arguments, environment);
                var feeding = FeedAsync(git, input, patience.Token);
                var (bytes, cut) = await ReadAsync(git.Output, maxBytes, patience.Token);
                await feeding;
                var exit = cut ? 0 : await git.WaitAsync(patience.Token);
                return new GitOutput(exit, bytes, git.ErrorText, cut);
            }
            finally
            {
                Slots.Release();
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new TimeoutException($"git {arguments[0]} took too long");
        }
    }

    /// <summary>As <see cref="RunAsync"/>; anything but exit code 0 is an error.</summary>
    /// <exception cref="GitException">git failed.</exception>
    public async Task<GitOutput> RunOrThrowAsync(IReadOnlyList<string> arguments, CancellationToken ct, int maxBytes = 16 << 20)
    {
        var output = await RunAsync(arguments, ct, maxBytes);
        return output.ExitCode == 0 ? output : throw output.ToException(arguments[0]);
    }

    /// <summary>Streams the lines of an output of any length; leaving the loop ends git. The caller bounds the time.</summary>
    /// <exception cref="GitException">git failed; thrown at the end of the lines.</exception>
    public async IAsyncEnumerable<string> LinesAsync(
        IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct, GitBounds? bounds = null)
    {
        await Slots.WaitAsync(ct);
        try
        {
            await using var git = GitProcess.Start(Directory, arguments, environment, bounds: bounds);
            git.Input.Close();
            using var reader = new StreamReader(git.Output, Encoding.UTF8);
            while (await reader.ReadLineAsync(ct) is { } line) yield return line;
            if (await git.WaitAsync(ct) is var exit and not 0) throw new GitException($"git {arguments[0]} failed with exit code {exit}: {git.ErrorText.Trim()}", exit);
        }
        finally
        {
            Slots.Release();
        }
    }

    /// <summary>Streams the parts of a <c>-z</c> output of any length; leaving the loop ends git. The caller bounds the time.</summary>
    /// <exception cref="GitException">git failed; thrown at the end of the parts.</exception>
    private async IAsyncEnumerable<string> FieldsAsync(string[] arguments, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        await Slots.WaitAsync(ct);
        try
        {
            await using var git = GitProcess.Start(Directory, arguments);
            git.Input.Close();
            using var part = new MemoryStream();
            var buffer = new byte[64 << 10];
            int count;
            while ((count = await git.Output.ReadAsync(buffer, ct)) > 0)
            {
                for (int at = 0, end; at < count; at = end + 1)
                {
                    end = Array.IndexOf(buffer, (byte)0, at, count - at);
                    part.Write(buffer, at, (end < 0 ? count : end) - at);
                    if (end < 0) break;
                    yield return Encoding.UTF8.GetString(part.GetBuffer(), 0, (int)part.Length);
                    part.SetLength(0);
                }
            }

            if (await git.WaitAsync(ct) is var exit and not 0) throw new GitException($"git {arguments[0]} failed with exit code {exit}: {git.ErrorText.Trim()}", exit);
        }
        finally
        {
            Slots.Release();
        }
    }

    private static async Task FeedAsync(GitProcess git, ReadOnlyMemory<byte> input, CancellationToken ct)
    {
        try
        {
            if (!input.IsEmpty) await git.Input.WriteAsync(input, ct);
            git.Input.Close();
        }
        catch (IOException)
        {
            // git ended before it had read everything: its exit code tells why.
        }
    }

    private static async Task<(byte[] Bytes, bool Cut)> ReadAsync(Stream output, int maxBytes, CancellationToken ct)
    {
        using var kept = new MemoryStream();
        var buffer = new byte[64 << 10];
        int count;
        while ((count = await output.ReadAsync(buffer, ct)) > 0)
        {
            if (kept.Length + count > maxBytes)
            {
                kept.Write(buffer, 0, (int)(maxBytes - kept.Length));
                return (kept.ToArray(), true);
            }

            kept.Write(buffer, 0, count);
        }

        return (kept.ToArray(), false);
    }
}

/// <param name="IsCut">There was more output than asked for.</param>
public sealed record GitOutput(int ExitCode, byte[] Bytes, string Errors, bool IsCut)
{
    public string Text => Encoding.UTF8.GetString(Bytes);

    /// <summary>Lines without their ends; no empty one at the end.</summary>
    public IEnumerable<string> Lines => Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Parts of a <c>-z</c> output.</summary>
    public string[] Fields => Text.Split('\0') is [.. var fields, ""] ? fields : Text.Split('\0');

    public GitException ToException(string command) => new($"git {command} failed with exit code {ExitCode}: {Errors.Trim()}", ExitCode);
}
