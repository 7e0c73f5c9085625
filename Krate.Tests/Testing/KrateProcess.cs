using System.Diagnostics;

namespace Krate.Tests.Testing;

/// <summary>Krate as a process of its own, on free loopback ports.</summary>
public sealed class KrateProcess : IAsyncDisposable
{
    private readonly Process process;
    private readonly StringWriter log = new();

    private KrateProcess(Process process, string data, Uri http, Uri https)
    {
        this.process = process;
        Data = data;
        Http = http;
        Https = https;
    }

    public string Data { get; }

    public int ProcessId => process.Id;

    public Uri Http { get; }

    public Uri Https { get; }

    public string Kubeconfig => Path.Combine(Data, "admin.kubeconfig");

    /// <summary>What the app has written so far.</summary>
    public string Log
    {
        get
        {
            lock (log) return log.ToString();
        }
    }

    /// <summary>Starts the app and waits until it is ready.</summary>
    /// <param name="command">Program and arguments: the published app, or <c>dotnet</c> and the built assembly.</param>
    /// <param name="data">Data directory; may be one that an earlier process left behind.</param>
    /// <param name="postgres">Connection string; null for SQLite in the data directory.</param>
    /// <exception cref="InvalidOperationException">It ended or was not ready within a minute; the message has its log.</exception>
    public static async Task<KrateProcess> StartAsync(IReadOnlyList<string> command, string data, string? postgres, CancellationToken ct)
    {
        var (http, https) = (Loopback.FreePort(), Loopback.FreePort());
        var start = new ProcessStartInfo(command[0]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath() };
        foreach (var argument in command.Skip(1)) start.ArgumentList.Add(argument);
        start.Environment["Krate__Data"] = data;
        start.Environment["ASPNETCORE_URLS"] = $"http://127.0.0.1:{http};https://127.0.0.1:{https}";
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Production";
        // A process that lives for seconds watches itself for nothing.
        start.Environment["DOTNET_TieredPGO"] = "0";
        if (postgres is not null) start.Environment["ConnectionStrings__Krate"] = postgres;
        var process = Process.Start(start) ?? throw new InvalidOperationException("the app did not start");
        var krate = new KrateProcess(process, data, new($"http://127.0.0.1:{http}"), new($"https://127.0.0.1:{https}"));
        process.OutputDataReceived += (_, e) => krate.Append(e.Data);
        process.ErrorDataReceived += (_, e) => krate.Append(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await krate.WaitUntilReadyAsync(ct);
        return krate;
    }

    /// <summary>The admin's client token, as kubectl would send it.</summary>
    public string AdminToken() => File.ReadLines(Kubeconfig).Select(l => l.Trim()).First(l => l.StartsWith("token:", StringComparison.Ordinal))["token:".Length..].Trim().Trim('"');

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        process.Kill(entireProcessTree: true);
        // Whoever of its children still holds its output must not hold the test for ever.
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) await KillAsync();
        process.Dispose();
    }

    private void Append(string? line)
    {
        lock (log) log.WriteLine(line);
    }

    private async Task WaitUntilReadyAsync(CancellationToken ct)
    {
        using var client = new HttpClient { BaseAddress = Http };
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        for (var attempt = 0; attempt < 1200; attempt++)
        {
            if (process.HasExited) throw new InvalidOperationException($"the app ended with exit code {process.ExitCode}:\n{Log}");
            try
            {
                using var answer = await client.GetAsync(new Uri("/readyz", UriKind.Relative), ct);
                if (answer.IsSuccessStatusCode) return;
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            await timer.WaitForNextTickAsync(ct);
        }

        throw new InvalidOperationException($"the app was not ready within a minute:\n{Log}");
    }
}
