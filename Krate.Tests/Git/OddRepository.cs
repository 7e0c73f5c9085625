using Krate.Core.Git;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Git;

/// <summary>A bare repository with every name and kind of entry that is hard, made by the real git.</summary>
public sealed class OddRepository : IAsyncLifetime
{
    public const string Submodule = "1111111111111111111111111111111111111111";

    /// <summary>As fast-import takes them in quotes, and as they are.</summary>
    public static readonly string[] Names =
    [
        "a b/c d.txt", "quote\"s and 's.txt", "hash#1.txt", "100%25.txt", "100%.txt", "a%2Fb.txt", "what?.txt", "ünïcode/日本語.txt", "new\nline.txt", "back\\slash.txt", "-dash.txt", ":colon.txt", "*.txt",
    ];

    private readonly GitClient git = new();

    public GitClient Client => git;

    public GitRepository Repository { get; private set; } = null!;

    public string Commit { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        await git.RunAsync(".", "init", "--quiet", "--bare", "-b", "main", "odd.git");
        await git.FeedAsync("odd.git", Script(), "fast-import", "--quiet");
        Repository = new GitRepository(git.In("odd.git"));
        Commit = await git.RunAsync("odd.git", "rev-parse", "main");
    }

    public ValueTask DisposeAsync()
    {
        git.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>What fast-import reads: all files, a branch with slashes, a branch like a folder, and a tag of a branch's name.</summary>
    public static IEnumerable<string> Script()
    {
        yield return "commit refs/heads/main\ncommitter T <t@t> 1700000000 +0000\ndata 5\nodd\n\n";
        foreach (var name in Names) yield return File("100644", Quote(name), $"in {name.ReplaceLineEndings(" ")}\n");
        yield return File("100644", "\"bad\\377.txt\"", "bad\n");
        yield return File("100755", "run.sh", "#!/bin/sh\n");
        yield return File("120000", "link.md", "docs/guide.md");
        yield return File("120000", "out.link", "/etc/passwd");
        yield return File("100644", "docs/guide.md", "# Guide\n\n<script>alert(1)</script>\n\n[up](../run.sh) ![p](pic.svg)\n");
        yield return File("100644", "docs/pic.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>");
        yield return File("100644", "docs/page.html", "<script>alert(1)</script>");
        yield return File("100644", "docs/bin.dat", "a\0b");
        yield return File("100644", "feature/in-folder.txt", "f\n");
        yield return File("100644", "empty.txt", "");
        yield return File("100644", "huge.txt", new string('x', (2 << 20) + 1));
        yield return $"M 160000 {Submodule} sub\n\n";
        foreach (var name in (string[])["refs/heads/feature", "refs/heads/fix/with/slash", "refs/tags/v1"]) yield return $"reset {name}\nfrom refs/heads/main\n\n";
        yield return "commit refs/tags/feature\ncommitter T <t@t> 1700000001 +0000\ndata 3\ntag\nfrom refs/heads/main\n" + File("100644", "only-in-tag.txt", "t\n") + "\n";
    }

    private static string File(string mode, string path, string content) => $"M {mode} inline {path}\ndata {System.Text.Encoding.UTF8.GetByteCount(content)}\n{content}\n";

    private static string Quote(string name) => $"\"{name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)}\"";
}
