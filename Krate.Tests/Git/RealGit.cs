using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Git;

/// <summary>What git does with commits of another repository in a work tree of its own. One caller at a time.</summary>
internal sealed class RealGit : IAsyncDisposable
{
    private readonly GitClient client;
    private readonly string folder;

    private RealGit(GitClient client, string folder)
    {
        this.client = client;
        this.folder = folder;
    }

    /// <summary>A work tree that has the objects of a bare repository.</summary>
    public static async Task<RealGit> CloneAsync(GitClient client, string from, string folder)
    {
        await client.RunAsync(".", "init", "--quiet", folder);
        await File.WriteAllTextAsync(client.In(folder, ".git", "objects", "info", "alternates"), client.In(from, "objects") + "\n", TestContext.Current.CancellationToken);
        await client.RunAsync(folder, "config", "maintenance.auto", "false");
        return new RealGit(client, folder);
    }

    /// <summary>What comes of <c>git merge</c>, <c>git merge --squash</c> and <c>git rebase</c>, a line each; of a rebase the trees and subjects of all commits.</summary>
    /// <param name="tree">Of the target.</param>
    public async Task<string> AllAsync(string target, string tree, string source) =>
        $"merge {await MergeAsync(target, tree, source, "--no-ff", "-m", "m")}\nsquash {await MergeAsync(target, tree, source, "--squash")}\nrebase {await RebaseAsync(target, source)}";

    /// <summary>Empties the work tree: it has names that .NET cannot delete.</summary>
    public async ValueTask DisposeAsync()
    {
        // Whatever has happened before is told by whoever it happened to.
        File.Delete(client.In(folder, ".git", "index.lock"));
        await client.TryAsync(folder, "read-tree", "--empty");
        await client.TryAsync(folder, "clean", "-ffdqx");
    }

    private async Task<string> MergeAsync(string target, string tree, string source, params string[] how)
    {
        await client.RunAsync(folder, "checkout", "--quiet", "--force", "--detach", target);
        var (exit, output, error) = await client.TryAsync(folder, ["merge", "--quiet", .. how, source]);
        if (exit == 128 && error.Contains("unrelated histories", StringComparison.Ordinal)) return "unrelated";
        if (exit == 1 && output.Contains("CONFLICT", StringComparison.Ordinal)) return await CleanedAsync("conflict");
        Assert.True(exit == 0, $"{exit} {output} {error}");
        if (how is ["--squash"]) return await client.RunAsync(folder, "write-tree") is var squashed && squashed == tree ? "nothing" : "tree " + squashed;
        var made = (await client.RunAsync(folder, "rev-parse", "HEAD", "HEAD^{tree}")).Split('\n');
        return made[0] == target ? "nothing" : "tree " + made[1];
    }

    private async Task<string> RebaseAsync(string target, string source)
    {
        await client.RunAsync(folder, "checkout", "--quiet", "--force", "--detach", source);
        var (exit, output, error) = await client.TryAsync(folder, "rebase", "--quiet", target);
        if (exit == 1 && (output + error).Contains("CONFLICT", StringComparison.Ordinal))
        {
            var at = await client.RunAsync(folder, "rev-parse", "REBASE_HEAD");
            await client.RunAsync(folder, "rebase", "--quit");
            return await CleanedAsync("conflict " + at);
        }

        Assert.True(exit == 0, $"{exit} {output} {error}");
        var made = await client.RunAsync(folder, "log", "--format=%T %s", target + "..HEAD");
        return made.Length == 0 ? "nothing" : "tree " + made.Trim();
    }

    /// <summary>Without the files that only a conflict had.</summary>
    private async Task<string> CleanedAsync(string said)
    {
        await client.RunAsync(folder, "reset", "--quiet", "--hard");
        await client.RunAsync(folder, "clean", "-ffdqx");
        return said;
    }
}
