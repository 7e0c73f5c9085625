using System.Diagnostics;
using System.Text;
using Xunit;

namespace Krate.Tests.Testing;

/// <summary>The real git as a developer has it, in a folder of its own, with no configuration but its own.</summary>
public sealed class GitClient : IDisposable
{
    private readonly DirectoryInfo root = Directory.CreateTempSubdirectory("krate-git-");

    public GitClient()
    {
        File.WriteAllText(Path.Combine(root.FullName, ".gitconfig"), "[user]\n\tname = Tester\n\temail = tester@krate.test\n[init]\n\tdefaultBranch = main\n[advice]\n\tdetachedHead = false\n");
    }

    /// <summary>Where the clones are.</summary>
    public string Folder => root.FullName;

    public string In(params string[] path) => Path.Combine([root.FullName, .. path]);

    /// <summary>Runs git and expects it to succeed.</summary>
    /// <returns>Its standard output without the last line end.</returns>
    public async Task<string> RunAsync(string folder, params string[] arguments)
    {
        var result = await TryAsync(folder, arguments);
        Assert.True(result.ExitCode == 0, $"git {string.Join(' ', arguments)} ended with {result.ExitCode}: {result.Error}");
        return result.Output.TrimEnd('\n');
    }

    public async Task<(int ExitCode, string Output, string Error)> TryAsync(string folder, params string[] arguments)
    {
        using var process = Start(folder, arguments);
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await error);
    }

    /// <summary>Feeds git from a stream (<c>fast-import</c>).</summary>
    public async Task FeedAsync(string folder, IEnumerable<string> input, params string[] arguments)
    {
        using var process = Start(folder, arguments);
        var error = process.StandardError.ReadToEndAsync();
        await using (var writer = new StreamWriter(process.StandardInput.BaseStream, new UTF8Encoding(false)))
            foreach (var text in input) await writer.WriteAsync(text);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, await error);
    }

    /// <summary>A running git, for those who want to end it half-way.</summary>
    public Process Start(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("git") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = In(folder) };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("GIT_", StringComparison.Ordinal)).ToList()) start.Environment.Remove(name);
        start.Environment["HOME"] = root.FullName;
        start.Environment["GIT_CONFIG_NOSYSTEM"] = "1";
        start.Environment["GIT_TERMINAL_PROMPT"] = "0";
        start.Environment["LC_ALL"] = "C.UTF-8";
        return Process.Start(start)!;
    }

    /// <summary>A new repository with one commit.</summary>
    public async Task<string> NewRepositoryAsync(string folder, string file = "README.md", string content = "# Hello\n")
    {
        Directory.CreateDirectory(In(folder));
        await RunAsync(folder, "init", "--quiet");
        await CommitAsync(folder, file, content);
        return folder;
    }

    /// <returns>Id of the commit.</returns>
    public async Task<string> CommitAsync(string folder, string file, string content, string? message = null)
    {
        var path = In(folder, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllTextAsync(path, content, TestContext.Current.CancellationToken);
        await RunAsync(folder, "add", "--all");
        await RunAsync(folder, "commit", "--quiet", "--message", message ?? $"Change {file}");
        return await RunAsync(folder, "rev-parse", "HEAD");
    }

    public void Dispose() => root.Delete(recursive: true);
}
