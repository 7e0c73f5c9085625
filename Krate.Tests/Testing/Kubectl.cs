using System.Diagnostics;
using System.Text;
using Xunit;

namespace Krate.Tests.Testing;

/// <summary>The real kubectl with a home, a kubeconfig and a cache of its own.</summary>
public sealed class Kubectl : IDisposable
{
    private readonly string binary;
    private readonly string kubeconfig;
    private readonly DirectoryInfo home = Directory.CreateTempSubdirectory("krate-kubectl-");

    private Kubectl(string binary, string kubeconfig)
    {
        this.binary = binary;
        this.kubeconfig = kubeconfig;
    }

    /// <summary>Where this kubectl keeps its files; a good place for manifests.</summary>
    public string Home => home.FullName;

    /// <param name="version">Minor version (<c>1.34</c>); the test is skipped when scripts/install-kubectl.sh has not put it in place.</param>
    public static Kubectl Of(string version, string kubeconfig)
    {
        var cached = Path.Combine(Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache ? cache : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"), "krate", "kubectl", version, "kubectl");
        var binary = File.Exists(cached) ? cached : version == "1.32" ? OnPath() : null;
        Assert.SkipWhen(binary is null, $"kubectl {version} is not installed; run scripts/install-kubectl.sh");
        return new(binary!, kubeconfig);
    }

    /// <summary>Runs one command and gives what it printed.</summary>
    /// <exception cref="Xunit.Sdk.XunitException">It failed.</exception>
    public async Task<string> RunAsync(string arguments, string? stdin = null, string? editor = null)
    {
        var (code, output, error) = await TryAsync(arguments, stdin, editor);
        Assert.True(code == 0, $"kubectl {arguments}\nended with {code}\n{output}{error}");
        return output + error;
    }

    /// <summary>Runs one command that must fail and gives what it complained.</summary>
    public async Task<string> FailAsync(string arguments, string? stdin = null)
    {
        var (code, output, error) = await TryAsync(arguments, stdin);
        Assert.True(code != 0, $"kubectl {arguments}\nshould have failed\n{output}{error}");
        return output + error;
    }

    public async Task<(int Code, string Output, string Error)> TryAsync(string arguments, string? stdin = null, string? editor = null)
    {
        using var process = Start(arguments, stdin is not null, editor);
        var ct = TestContext.Current.CancellationToken;
        var output = process.StandardOutput.ReadToEndAsync(ct);
        var error = process.StandardError.ReadToEndAsync(ct);
        if (stdin is not null)
        {
            await process.StandardInput.WriteAsync(stdin);
            process.StandardInput.Close();
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(TimeSpan.FromMinutes(2));
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw new TimeoutException($"kubectl {arguments} did not end");
        }

        return (process.ExitCode, await output, await error);
    }

    /// <summary>Starts a command that goes on (<c>get -w</c>), lets the caller act while reading its lines, then ends it.</summary>
    public async Task FollowAsync(string arguments, Func<LineReader, Task> read)
    {
        using var process = Start(arguments, withInput: false);
        try
        {
            await read(new LineReader(process.StandardOutput));
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    /// <summary>Writes a manifest and gives its path.</summary>
    public string Save(string name, string text)
    {
        var path = Path.Combine(Home, name);
        File.WriteAllText(path, text);
        return path;
    }

    public void Dispose() => home.Delete(recursive: true);

    private static string? OnPath() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(d => Path.Combine(d, "kubectl")).FirstOrDefault(File.Exists);

    /// <summary>Words are divided by spaces; single quotes hold one together.</summary>
    private static IEnumerable<string> Words(string arguments) =>
        System.Text.RegularExpressions.Regex.Matches(arguments, "(?:[^ ']|'[^']*')+").Select(m => m.Value.Replace("'", "", StringComparison.Ordinal));

    private Process Start(string arguments, bool withInput, string? editor = null)
    {
        var start = new ProcessStartInfo(binary, Words(arguments))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = withInput,
            StandardOutputEncoding = Encoding.UTF8,
            WorkingDirectory = Home,
        };
        start.Environment["HOME"] = Home;
        start.Environment["KUBECONFIG"] = kubeconfig;
        start.Environment["KUBECACHEDIR"] = Path.Combine(Home, "cache");
        if (editor is not null) start.Environment["KUBE_EDITOR"] = editor;
        return Process.Start(start)!;
    }

    public sealed class LineReader(StreamReader output)
    {
        /// <summary>Reads on to the line that holds the text.</summary>
        public async Task<string> UntilAsync(string text)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            limit.CancelAfter(TimeSpan.FromSeconds(60));
            var seen = new StringBuilder();
            while (await output.ReadLineAsync(limit.Token) is { } line)
            {
                if (line.Contains(text, StringComparison.Ordinal)) return line;
                seen.AppendLine(line);
            }

            throw new Xunit.Sdk.XunitException($"the output ended without \"{text}\":\n{seen}");
        }
    }
}
