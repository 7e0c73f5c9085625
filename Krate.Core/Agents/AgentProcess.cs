using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;

namespace Krate.Core.Agents;

/// <summary>Starts programs that people name, inside <see cref="AgentSandbox"/>, a few at a time. Thread-safe.</summary>
internal sealed class AgentProcesses(AgentCommands commands, AgentOptions options) : IDisposable
{
    private readonly SemaphoreSlim slots = new(options.AtOnce, options.AtOnce);
    private readonly ProcessStarter starter = new();

    /// <summary>For a question and its answer: waits until few others are asked.</summary>
    /// <param name="mostOutput">Bytes that are read of what it writes.</param>
    /// <exception cref="ProbeException">It may not be started, or cannot.</exception>
    public async Task<AgentProcess> StartAsync(AgentCommand command, long mostOutput, CancellationToken ct)
    {
        var start = InSandbox(command);
        await slots.WaitAsync(ct);
        return await StartAsync(start, mostOutput, () => slots.Release());
    }

    /// <summary>For a work of its own, whose number the caller bounds.</summary>
    /// <exception cref="ProbeException">It may not be started, or cannot.</exception>
    public Task<AgentProcess> LaunchAsync(AgentCommand command, long mostOutput) => StartAsync(InSandbox(command), mostOutput, () => { });

    /// <summary>The walls are those of the starter: there is no way to start one without them.</summary>
    private ProcessStartInfo InSandbox(AgentCommand command)
    {
        var program = commands.Resolve(command.Command);
        var start = new ProcessStartInfo(AgentSandbox.Program) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false, WorkingDirectory = "/" };
        start.Environment.Clear();
        var relay = command.Network is null ? null : AgentCommands.Relay;
        foreach (var (name, value) in command.Environment.Concat(AgentCommands.OwnEnvironment(relay ?? program))) start.Environment[name] = value;
        (start.Environment["PATH"], start.Environment["HOME"], start.Environment["LC_ALL"]) = (commands.SearchPath(program), AgentSandbox.Home, "C.UTF-8");
        foreach (var argument in AgentSandbox.Arguments(program, command, commands.ReadablePaths(program).Concat(relay is null ? [] : commands.ReadablePaths(relay)), [commands.DataFolder])) start.ArgumentList.Add(argument);
        return start;
    }

    private async Task<AgentProcess> StartAsync(ProcessStartInfo start, long mostOutput, Action ended)
    {
        try
        {
            return new AgentProcess(await starter.StartAsync(start), mostOutput, ended);
        }
        catch (Exception e)
        {
            ended();
            if (e is not System.ComponentModel.Win32Exception) throw;
            throw new ProbeException(ProbeReasons.SandboxUnavailable, "bubblewrap (bwrap) cannot be started where Krate runs, and without it no program is: install it", e);
        }
    }

    public void Dispose()
    {
        starter.Dispose();
        slots.Dispose();
    }
}

/// <summary>One program in its sandbox. Disposing ends it with all that it started.</summary>
internal sealed class AgentProcess : IAsyncDisposable
{
    private const int MaxErrorChars = 4 << 10;
    private static readonly TimeSpan EndWithin = TimeSpan.FromSeconds(5), EndByItself = TimeSpan.FromSeconds(1);
    private readonly Process process;
    private readonly Action ended;
    private readonly Task errors;
    private readonly StringBuilder errorText = new();

    internal AgentProcess(Process process, long mostOutput, Action ended)
    {
        this.process = process;
        this.ended = ended;
        Budget = new ByteBudget(mostOutput);
        Output = new BoundedStream(process.StandardOutput.BaseStream, Budget);
        errors = ReadErrorsAsync();
    }

    public int Id => process.Id;

    public Stream Input => process.StandardInput.BaseStream;

    public Stream Output { get; }

    /// <summary>How much is read of its output.</summary>
    public ByteBudget Budget { get; }

    /// <summary>How it ended, for people; called when nothing more comes from it. What has closed its output and goes on is not waited for.</summary>
    /// <param name="mask">Takes out of its last words what nobody may read.</param>
    /// <exception cref="ProbeException">It was the sandbox that failed.</exception>
    public async Task<string> EndAsync(CancellationToken ct, Func<string, string>? mask = null)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(EndByItself);
        await process.WaitForExitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await errors.WaitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        ct.ThrowIfCancellationRequested();
        if (!process.HasExited) return "it closed its output without an answer";
        var said = ErrorText.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (said.Length > 0 && said[0].StartsWith(AgentSandbox.ErrorPrefix, StringComparison.Ordinal))
            throw new ProbeException(ProbeReasons.SandboxUnavailable, $"the sandbox could not be made ({ForeignText.Line(said[0], 200)}), and without it no program is started: let Krate make user namespaces");
        return said.Length == 0 ? $"it ended with exit code {process.ExitCode}" : $"it ended with exit code {process.ExitCode}: {ForeignText.Line(mask is null ? said[^1] : mask(said[^1]), 200)}";
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            process.Kill(entireProcessTree: true);
            using var patience = new CancellationTokenSource(EndWithin);
            await process.WaitForExitAsync(patience.Token);
            // The pipes end when the last process of the sandbox is gone.
            await errors.WaitAsync(patience.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or InvalidOperationException or AggregateException or System.ComponentModel.Win32Exception)
        {
            // Killed already; what is left goes with its process namespace.
        }
        finally
        {
            process.Dispose();
            ended();
        }
    }

    private string ErrorText
    {
        get
        {
            lock (errorText) return errorText.ToString();
        }
    }

    private async Task ReadErrorsAsync()
    {
        var buffer = new char[4096];
        try
        {
            int count;
            while ((count = await process.StandardError.ReadAsync(buffer)) > 0)
            {
                lock (errorText)
                {
                    errorText.Append(buffer, 0, count);
                    if (errorText.Length > MaxErrorChars) errorText.Remove(0, errorText.Length - MaxErrorChars);
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The process was ended; what it said so far is kept.
        }
    }
}

/// <summary>A sandbox dies with the thread that started it, and threads of the pool come and go: all are started by one that stays.</summary>
internal sealed class ProcessStarter : IDisposable
{
    private readonly BlockingCollection<Action> work = [];
    private readonly Lazy<Thread> thread;

    public ProcessStarter() => thread = new(() =>
    {
        var made = new Thread(() =>
        {
            foreach (var start in work.GetConsumingEnumerable()) start();
        }) { IsBackground = true, Name = "krate-agents" };
        made.Start();
        return made;
    });

    public Task<Process> StartAsync(ProcessStartInfo start)
    {
        _ = thread.Value;
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        work.Add(() =>
        {
            try
            {
                started.SetResult(Process.Start(start)!);
            }
            catch (Exception e)
            {
                started.SetException(e);
            }
        });
        return started.Task;
    }

    public void Dispose() => work.CompleteAdding();
}
