using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Krate.E2E.Hosting;

/// <summary>The published app as a process of its own, on free loopback ports, with an empty data directory.</summary>
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

    public static async Task<KrateProcess> StartAsync(string published, string[] arguments, CancellationToken ct)
    {
        var data = Directory.CreateTempSubdirectory("krate-e2e-").FullName;
        var (http, https) = (FreePort(), FreePort());
        var start = new ProcessStartInfo(Path.Combine(published, "Krate.Web"))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = data,
        };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        start.Environment["Krate__Data"] = Path.Combine(data, "data");
        start.Environment["ASPNETCORE_URLS"] = $"http://127.0.0.1:{http};https://127.0.0.1:{https}";
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Production";
        var process = Process.Start(start) ?? throw new InvalidOperationException("the app did not start");
        var krate = new KrateProcess(process, Path.Combine(data, "data"), new($"http://127.0.0.1:{http}"), new($"https://127.0.0.1:{https}"));
        process.OutputDataReceived += (_, e) => krate.Append(e.Data);
        process.ErrorDataReceived += (_, e) => krate.Append(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await krate.WaitUntilReadyAsync(ct);
        return krate;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }

        process.Dispose();
        Directory.Delete(Path.GetDirectoryName(Data)!, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void Append(string? line)
    {
        lock (log) log.WriteLine(line);
    }

    private async Task WaitUntilReadyAsync(CancellationToken ct)
    {
        using var client = new HttpClient { BaseAddress = Http };
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        for (var attempt = 0; attempt < 600; attempt++)
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
