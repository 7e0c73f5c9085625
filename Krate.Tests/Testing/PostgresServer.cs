using System.Diagnostics;
using Npgsql;

namespace Krate.Tests.Testing;

/// <summary>
/// A real PostgreSQL for one run of tests or benchmarks: Debian's binaries, a fresh cluster under the temp folder, a free
/// loopback port. Starts when the first database is asked for; stops and leaves nothing behind at the end.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private readonly SemaphoreSlim once = new(1, 1);
    private readonly string folder = Path.Combine(Path.GetTempPath(), $"krate-postgres-{Guid.NewGuid():N}");
    private int port;
    private int databases;

    /// <summary>Wait for the disk at each commit. Tests do not pull the plug, so they need not wait.</summary>
    public bool Durable { get; init; }

    /// <summary>A connection string for a new, empty database.</summary>
    public async Task<string> CreateDatabaseAsync(CancellationToken ct)
    {
        await StartAsync(ct);
        var name = $"t{Interlocked.Increment(ref databases)}";
        await using var connection = new NpgsqlConnection(For("postgres"));
        await connection.OpenAsync(ct);
        await using var create = new NpgsqlCommand($"CREATE DATABASE {name}", connection);
        await create.ExecuteNonQueryAsync(ct);
        return For(name);
    }

    public async ValueTask DisposeAsync()
    {
        if (port != 0) await RunAsync("pg_ctl", CancellationToken.None, "-D", folder, "-m", "immediate", "-w", "stop");
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        once.Dispose();
    }

    private string For(string database) => $"Host=127.0.0.1;Port={port};Username=postgres;Database={database};Maximum Pool Size=20;Include Error Detail=true";

    private async Task StartAsync(CancellationToken ct)
    {
        await once.WaitAsync(ct);
        try
        {
            if (port != 0) return;
            Directory.CreateDirectory(folder);
            if (IsRoot) await RunProcessAsync("chown", ct, "postgres", folder);
            await RunAsync("initdb", ct, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-N", "-D", folder);
            var free = Loopback.FreePort();
            await RunAsync("pg_ctl", ct, "-D", folder, "-w", "-l", Path.Combine(folder, "log"), "-o",
                $"-p {free} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200{(Durable ? "" : " -c fsync=off")}", "start");
            port = free;
        }
        finally
        {
            once.Release();
        }
    }

    private static bool IsRoot => Environment.UserName == "root";

    /// <summary>PostgreSQL refuses to run as root.</summary>
    private static Task RunAsync(string tool, CancellationToken ct, params string[] args)
    {
        var path = Directory.EnumerateDirectories("/usr/lib/postgresql").OrderDescending(StringComparer.Ordinal).Select(d => Path.Combine(d, "bin", tool)).First(File.Exists);
        return IsRoot ? RunProcessAsync("setpriv", ct, ["--reuid=postgres", "--regid=postgres", "--clear-groups", path, .. args]) : RunProcessAsync(path, ct, args);
    }

    private static async Task RunProcessAsync(string file, CancellationToken ct, params string[] args)
    {
        // The output goes nowhere: the server inherits it and would keep a pipe open.
        var start = new ProcessStartInfo("sh") { WorkingDirectory = Path.GetTempPath() };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add("exec \"$@\" >/dev/null 2>&1 </dev/null");
        foreach (var arg in new[] { "sh", file }.Concat(args)) start.ArgumentList.Add(arg);
        using var process = Process.Start(start)!;
        await process.WaitForExitAsync(ct);
        if (process.ExitCode != 0) throw new InvalidOperationException($"{file} {string.Join(' ', args)} ended with {process.ExitCode}");
    }
}
