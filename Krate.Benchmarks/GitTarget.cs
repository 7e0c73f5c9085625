using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Krate.Core.Resources;
using Krate.Tests.Testing;

namespace Krate.Benchmarks;

/// <summary>The published app as a process, with an organization for repositories, and a git to use with it.</summary>
internal sealed class GitTarget : IAsyncDisposable
{
    private readonly IReadOnlyList<string> command;
    private readonly DirectoryInfo folder;
    private KrateProcess krate;

    private GitTarget(IReadOnlyList<string> command, KrateProcess krate, DirectoryInfo folder)
    {
        (this.command, this.krate, this.folder) = (command, krate, folder);
        Client = NewClient();
    }

    private HttpClient NewClient() => new() { BaseAddress = krate.Http, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", krate.AdminToken()) }, Timeout = TimeSpan.FromMinutes(5) };

    /// <summary>Over http, as the administrator.</summary>
    public HttpClient Client { get; private set; }

    /// <summary>A browser's requests, signed in as the local developer.</summary>
    public async Task<HttpClient> SignInAsync(CancellationToken ct)
    {
        var browser = new HttpClient(new SocketsHttpHandler { UseCookies = true, AllowAutoRedirect = false }) { BaseAddress = krate.Http };
        browser.DefaultRequestHeaders.Add("Origin", krate.Http.ToString().TrimEnd('/'));
        browser.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        var form = await browser.GetStringAsync(new Uri("/signin", UriKind.Relative), ct);
        var token = Regex.Match(form, "name=\"__RequestVerificationToken\"[^>]*value=\"([^\"]+)\"").Groups[1].Value;
        using var fields = new FormUrlEncodedContent([new("__RequestVerificationToken", token), new("returnUrl", "/")]);
        using var answer = await browser.PostAsync(new Uri("/signin/local", UriKind.Relative), fields, ct);
        return browser;
    }

    /// <param name="app">Path of Krate.Web.dll, published in Release.</param>
    /// <param name="settings">More of its command line.</param>
    public static async Task<GitTarget> StartAsync(string app, CancellationToken ct, params string[] settings)
    {
        var folder = Directory.CreateTempSubdirectory("krate-bench-");
        string[] command = ["dotnet", app, .. settings];
        var target = new GitTarget(command, await KrateProcess.StartAsync(command, Path.Combine(folder.FullName, "data"), null, ct), folder);
        await target.MakeAsync("krate-system/organizations", "bench", """{"metadata":{"name":"bench"},"spec":{"slug":"bench","displayName":"Bench"}}""", ct);
        return target;
    }

    /// <summary>Ends the process and starts another on the same data.</summary>
    public async Task RestartAsync(CancellationToken ct)
    {
        Client.Dispose();
        await krate.DisposeAsync();
        krate = await KrateProcess.StartAsync(command, Path.Combine(folder.FullName, "data"), null, ct);
        Client = NewClient();
    }

    public string In(string name) => Path.Combine(folder.FullName, name);

    public Task MakeRepositoryAsync(string name, CancellationToken ct) =>
        MakeAsync("krate-org-bench/repositories", name, $$$"""{"metadata":{"name":"{{{name}}}"},"spec":{"visibility":"private"}}""", ct);

    /// <summary>Opens a pull request into main and waits until it is known to merge.</summary>
    public async Task OpenPullAsync(string repository, string branch, CancellationToken ct)
    {
        var spec = $$$"""{"metadata":{"name":"{{{repository}}}-{{{branch}}}"},"spec":{"repository":"{{{repository}}}","title":"{{{branch}}}","sourceRef":"{{{branch}}}","targetRef":"main"}}""";
        await MakeAsync("krate-org-bench/pullrequests", $"{repository}-{branch}", spec, ct, d => d.Flag("status.mergeable"));
    }

    public async Task MergeAsync(string repository, string branch, string method, CancellationToken ct)
    {
        using var merged = await Client.PostAsJsonAsync($"/apis/krate.a5c.ai/v1alpha1/namespaces/krate-org-bench/pullrequests/{repository}-{branch}/merge", new { method }, ct);
        if (!merged.IsSuccessStatusCode) throw new InvalidOperationException(await merged.Content.ReadAsStringAsync(ct));
    }

    public string UrlOf(string repository) => $"http://x:{krate.AdminToken()}@127.0.0.1:{krate.Http.Port}/git/bench/{repository}.git";

    public string DirectoryOf(string repository) => Path.Combine(krate.Data, "git", "bench", repository + ".git");

    /// <summary>MiB that the server holds now, and at most so far.</summary>
    public (double Now, double Peak) Memory()
    {
        var lines = File.ReadAllLines($"/proc/{krate.ProcessId}/status");
        return (Of("VmRSS:"), Of("VmHWM:"));

        double Of(string name) => double.Parse(lines.First(l => l.StartsWith(name, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }

    /// <returns>Seconds.</returns>
    public async Task<double> GitAsync(string work, CancellationToken ct, params string[] arguments)
    {
        var start = Measure.Now;
        using var process = Start(work, arguments);
        process.StandardInput.Close();
        // Some of git's words come whatever it is told.
        _ = process.StandardOutput.ReadToEndAsync(ct);
        var error = process.StandardError.ReadToEndAsync(ct);
        await process.WaitForExitAsync(ct);
        if (process.ExitCode != 0) throw new InvalidOperationException($"git {arguments[0]}: {await error}");
        return Measure.Since(start).TotalSeconds;
    }

    /// <summary>A bare repository from a fast-import stream.</summary>
    public async Task ImportAsync(string name, Action<StreamWriter> write, CancellationToken ct)
    {
        await GitAsync(".", ct, "init", "--quiet", "--bare", "--initial-branch=main", In(name));
        using var process = Start(name, "fast-import", "--quiet");
        var error = process.StandardError.ReadToEndAsync(ct);
        await using (var writer = new StreamWriter(process.StandardInput.BaseStream)) write(writer);
        await process.WaitForExitAsync(ct);
        if (process.ExitCode != 0) throw new InvalidOperationException(await error);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await krate.DisposeAsync();
        folder.Delete(recursive: true);
    }

    private Process Start(string work, params string[] arguments)
    {
        var start = new ProcessStartInfo("git", arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = In(work) };
        foreach (var (name, value) in new[] { ("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_TERMINAL_PROMPT", "0") }) start.Environment[name] = value;
        return Process.Start(start)!;
    }

    /// <param name="isMade">When it is done; without it, when it is ready.</param>
    private async Task MakeAsync(string path, string name, string document, CancellationToken ct, Func<JsonObject, bool>? isMade = null)
    {
        var root = $"/apis/krate.a5c.ai/v1alpha1/namespaces/{path}";
        using (var made = await Client.PostAsJsonAsync(root, JsonNode.Parse(document), ct)) made.EnsureSuccessStatusCode();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        isMade ??= d => d.Text("status.phase") == "Ready";
        while (!isMade(KrateJson.ParseObject(await Client.GetStringAsync(new Uri($"{root}/{name}", UriKind.Relative), ct)))) await timer.WaitForNextTickAsync(ct);
    }
}
