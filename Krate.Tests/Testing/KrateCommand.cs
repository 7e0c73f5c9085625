using System.Diagnostics;

namespace Krate.Tests.Testing;

/// <summary>One run of the program as a person would start it, to its end.</summary>
public sealed class KrateCommand : IAsyncDisposable
{
    private readonly Process process;
    private readonly Task<string> output;
    private readonly Task<string> error;
    private readonly TaskCompletionSource listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private KrateCommand(Process process)
    {
        this.process = process;
        output = ReadOutputAsync();
        error = process.StandardError.ReadToEndAsync();
    }

    public static KrateCommand Start(string directory, string[] args, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = directory };
        foreach (var argument in (string[])[Path.Combine(AppContext.BaseDirectory, "Krate.Web.dll"), .. args]) start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        return new(Process.Start(start)!);
    }

    /// <summary>Returns when the log says that it listens and has started.</summary>
    public Task WhenStartedAsync(CancellationToken ct) => Task.WhenAny(listening.Task, process.WaitForExitAsync(ct)).WaitAsync(TimeSpan.FromMinutes(1), ct);

    /// <summary>SIGTERM.</summary>
    public void Terminate() => Process.Start("kill", ["-TERM", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)])!.Dispose();

    /// <summary>Waits for the end.</summary>
    public async Task<(int ExitCode, string Output, string Error)> EndAsync(CancellationToken ct)
    {
        await process.WaitForExitAsync(ct).WaitAsync(TimeSpan.FromMinutes(1), ct);
        return (process.ExitCode, await output, await error);
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }

        process.Dispose();
    }

    private async Task<string> ReadOutputAsync()
    {
        var text = new StringWriter();
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            await text.WriteLineAsync(line);
            if (line.Contains("Application started", StringComparison.Ordinal)) listening.TrySetResult();
        }

        return text.ToString();
    }
}
