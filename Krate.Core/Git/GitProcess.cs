using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Krate.Core.Git;

/// <summary>
/// One run of the git program with Krate's own configuration: no system or user configuration, no hooks of the repository, no
/// prompts, no transports but those that the caller names. Arguments are a list; no shell is involved. Not thread-safe.
/// </summary>
public sealed class GitProcess : IAsyncDisposable
{
    private const int MaxErrorChars = 16 << 10;
    private static readonly TimeSpan EndByItself = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan EndWhenAsked = TimeSpan.FromSeconds(5);
    private readonly Process process;
    private readonly Task errors;
    private readonly StringBuilder errorText = new();

    private GitProcess(Process process)
    {
        this.process = process;
        errors = ReadErrorsAsync();
    }

    public Stream Input => process.StandardInput.BaseStream;

    public Stream Output => process.StandardOutput.BaseStream;

    public bool HasEnded => process.HasExited;

    /// <summary>What git said on standard error so far; the last 16 Ki characters.</summary>
    public string ErrorText
    {
        get
        {
            lock (errorText) return errorText.ToString();
        }
    }

    /// <summary>Called with each line (or progress step) of standard error. Set before reading output.</summary>
    public Action<string>? OnErrorLine { get; set; }

    /// <param name="directory">Git directory; null for a command without one.</param>
    /// <param name="hooks">Folder of the hooks to run; null: none. Those inside the repository never run.</param>
    /// <exception cref="GitException">git cannot be started.</exception>
    /// <param name="bounds">What git and all that it starts may use; null for no bounds.</param>
    public static GitProcess Start(string? directory, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string? hooks = null, GitBounds? bounds = null)
    {
        var start = new ProcessStartInfo(bounds is null ? "git" : "/bin/sh")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = directory ?? Path.GetTempPath(),
            StandardErrorEncoding = Encoding.UTF8,
        };
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("GIT_", StringComparison.Ordinal) || k.StartsWith("SSH_", StringComparison.Ordinal) || k.EndsWith("_proxy", StringComparison.OrdinalIgnoreCase)).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in Always) start.Environment[name] = value;
        if (environment is not null)
            foreach (var (name, value) in environment) start.Environment[name] = value;
        foreach (var word in bounds?.Command ?? []) start.ArgumentList.Add(word);
        string[] settings = ["-c", "safe.directory=*", "-c", "core.quotePath=false", "-c", $"core.hooksPath={hooks ?? "/dev/null"}"];
        foreach (var argument in settings) start.ArgumentList.Add(argument);
        if (directory is not null) start.ArgumentList.Add($"--git-dir={directory}");
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        try
        {
            return new GitProcess(Process.Start(start)!);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new GitException($"git could not be started: {e.Message}", -1, e);
        }
    }

    private static readonly Dictionary<string, string> Always = new()
    {
        ["GIT_CONFIG_NOSYSTEM"] = "1",
        ["GIT_CONFIG_GLOBAL"] = "/dev/null",
        ["GIT_ATTR_NOSYSTEM"] = "1",
        ["GIT_TERMINAL_PROMPT"] = "0",
        ["GIT_OPTIONAL_LOCKS"] = "0",
        ["GIT_ALLOW_PROTOCOL"] = "none",
        ["GIT_NO_LAZY_FETCH"] = "1",
        ["GIT_LITERAL_PATHSPECS"] = "1",
        // Whoever may push a ref could show other contents for any object, or none.
        ["GIT_NO_REPLACE_OBJECTS"] = "1",
        ["LC_ALL"] = "C.UTF-8",
        ["HOME"] = "/nonexistent",
    };

    /// <summary>Waits for the end of the process. Output must have been read.</summary>
    /// <returns>Exit code.</returns>
    public async Task<int> WaitAsync(CancellationToken ct)
    {
        await process.WaitForExitAsync(ct);
        await errors;
        return process.ExitCode;
    }

    /// <summary>
    /// Ends git if it still runs: closed pipes let it clean up and go, a signal asks it to, and then it is killed. What it had in
    /// quarantine or under lock is gone unless it had to be killed.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            await Input.DisposeAsync();
            await Output.DisposeAsync();
            if (!await HasEndedAsync(EndByItself))
            {
                Signals.Terminate(process.Id);
                if (!await HasEndedAsync(EndWhenAsked)) process.Kill(entireProcessTree: true);
                await process.WaitForExitAsync(CancellationToken.None);
            }
        }

        process.Dispose();
    }

    private async Task<bool> HasEndedAsync(TimeSpan within)
    {
        using var patience = new CancellationTokenSource(within);
        await process.WaitForExitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return process.HasExited;
    }

    private async Task ReadErrorsAsync()
    {
        var line = new StringBuilder();
        var buffer = new char[4096];
        try
        {
            int count;
            while ((count = await process.StandardError.ReadAsync(buffer)) > 0)
            {
                lock (errorText)
                {
                    // What it says last is why it failed; hours of progress may come before that.
                    errorText.Append(buffer, 0, count);
                    if (errorText.Length > MaxErrorChars) errorText.Remove(0, errorText.Length - MaxErrorChars);
                }

                if (OnErrorLine is { } tell) Tell(tell, line, buffer.AsSpan(0, count));
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The process was ended; what it said so far is kept.
        }
    }

    /// <summary>Progress steps end with a carriage return, messages with a line feed.</summary>
    private static void Tell(Action<string> tell, StringBuilder line, ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (c is not ('\r' or '\n'))
            {
                if (line.Length < 1000) line.Append(c);
                continue;
            }

            if (line.Length > 0) tell(line.ToString());
            line.Clear();
        }
    }
}

/// <summary>What one git process and its children may use at most, each of them; the system holds them to it.</summary>
/// <param name="Memory">Bytes that it may write to; maps of files that are only read do not count.</param>
/// <param name="FileSize">Bytes of each file that it writes.</param>
public sealed record GitBounds(long Memory, long FileSize)
{
    /// <summary>
    /// Only a process can bound itself before it becomes git: a shell that reads nothing but these numbers does. Units are those of POSIX.
    /// Without the signal, git hears of a file that may not grow, and says so.
    /// A bound that cannot be set is one below which the operator holds Krate already.
    /// </summary>
    internal string[] Command =>
    [
        "-c", "trap '' XFSZ; ulimit -d \"$1\" 2>/dev/null; ulimit -f \"$2\" 2>/dev/null; shift 2; exec git \"$@\"", "sh",
        (Memory >> 10).ToString(CultureInfo.InvariantCulture), (FileSize >> 9).ToString(CultureInfo.InvariantCulture),
    ];

    /// <summary>Whether what git said tells that it came to a bound.</summary>
    public static bool IsMetBy(string errors) => errors.Contains("Out of memory", StringComparison.OrdinalIgnoreCase) || errors.Contains("File too large", StringComparison.Ordinal);
}

/// <summary>git failed for a reason that its caller did not foresee.</summary>
public sealed class GitException(string message, int exitCode, Exception? inner = null) : Exception(message, inner)
{
    public int ExitCode { get; } = exitCode;
}
