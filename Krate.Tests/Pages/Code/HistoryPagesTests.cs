using System.Net;
using Krate.Core.Repositories;
using Krate.Tests.Repositories;
using Krate.Tests.Testing;
using Krate.Web.Features.Code;
using Xunit;

namespace Krate.Tests.Pages.Code;

/// <summary>The first HTML of history and blame, of a repository whose people write what they like.</summary>
[Collection(typeof(GitCollection))]
public sealed class HistoryPagesTests(GitWorld world)
{
    private static readonly SemaphoreSlim Once = new(1);
    private static string name = "";
    private static Browser browser = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static CodeUrls Urls => new("acme", name);

    [Fact]
    public async Task History_comes_in_pages_of_thirty()
    {
        await PrepareAsync();
        var (first, second) = (await TextAsync(Urls.History("main")), await TextAsync(Urls.History("main") + "?page=2"));

        Assert.Contains("Commit 40<", first, StringComparison.Ordinal);
        Assert.DoesNotContain("Commit 10<", first, StringComparison.Ordinal);
        Assert.Contains(Urls.History("main") + "?page=2", first, StringComparison.Ordinal);
        Assert.Contains("Commit 10<", second, StringComparison.Ordinal);
        Assert.DoesNotContain("?page=3", second, StringComparison.Ordinal);
        Assert.Contains("There are no older ones.", await TextAsync(Urls.History("main") + "?page=9"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-5")]
    [InlineData("abc")]
    [InlineData("99999999999999999999")]
    public async Task A_page_that_is_no_number_is_the_first(string page)
    {
        await PrepareAsync();
        Assert.Contains("Commit 40<", await TextAsync($"{Urls.History("main")}?page={page}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task History_of_a_path_has_only_what_changed_it_even_when_it_is_gone()
    {
        await PrepareAsync();
        var page = await TextAsync(Urls.History("main", "gone\nfile.txt"));
        Assert.Contains("Remove the file", page, StringComparison.Ordinal);
        Assert.DoesNotContain("Commit 40<", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_and_messages_of_commits_are_shown_and_not_obeyed()
    {
        await PrepareAsync();
        string[] pages = [await RawAsync(Urls.History("main")), await RawAsync(Urls.Blame("main", "a b.txt")), await RawAsync(Urls.Home)];
        foreach (var page in pages)
        {
            Assert.Contains("&lt;img src=x&gt;", page, StringComparison.Ordinal);
            Assert.DoesNotContain("<img src=x>", page, StringComparison.Ordinal);
            Assert.DoesNotContain("\u202E", WebUtility.HtmlDecode(page), StringComparison.Ordinal);
            Assert.DoesNotContain("\x1b", WebUtility.HtmlDecode(page), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Blame_has_the_commit_of_each_line_and_the_way_to_the_one_before()
    {
        await PrepareAsync();
        var page = await TextAsync(Urls.Blame("main", "a b.txt"));
        Assert.Contains("First", page, StringComparison.Ordinal);
        Assert.Matches("id=\"L2\">", page);
        Assert.Matches($"{Urls.Home}/blame/[0-9a-f]{{40}}/a%20b.txt", page);
        Assert.Contains("is no file here", await TextAsync(Urls.Blame("main", "nothing")), StringComparison.Ordinal);
        Assert.Contains("The file is empty", await TextAsync(Urls.Blame("main", "empty.txt")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_nothing_was_pushed_the_history_says_so()
    {
        await PrepareAsync();
        var empty = await world.NewRepositoryAsync();
        Assert.Contains("No such branch, tag or commit", await TextAsync(new CodeUrls("acme", empty.Name).History("main")), StringComparison.Ordinal);
    }

    private async Task PrepareAsync()
    {
        await Once.WaitAsync(Ct);
        try
        {
            if (name.Length > 0) return;
            var repository = await world.NewRepositoryAsync();
            using var git = new GitClient();
            await git.FeedAsync(".", Script(), "--git-dir=" + world.Server.Service<RepositoryFiles>().DirectoryOf("acme", repository.Name), "fast-import", "--quiet");
            browser = world.Server.NewBrowser();
            await browser.SignInAsync();
            name = repository.Name;
        }
        finally
        {
            Once.Release();
        }
    }

    /// <summary>Forty-two commits; the last is somebody's who tries.</summary>
    private static IEnumerable<string> Script()
    {
        yield return Commit("T", "First", 0) + File("\"a b.txt\"", "one\ntwo\n") + File("\"gone\\nfile.txt\"", "x") + File("empty.txt", "") + "\n";
        yield return Commit("T", "Remove the file", 1) + "D \"gone\\nfile.txt\"\n\n";
        for (var i = 2; i <= 40; i++) yield return Commit("T", $"Commit {i}", i) + File("count.txt", $"{i}\n") + "\n";
        yield return Commit("Eve\u202E \x1b[31m", "<img src=x>\u202E\x1b[31m\x1e", 41) + File("\"a b.txt\"", "one\nTWO\n") + "\n";
    }

    private static string Commit(string who, string message, int minute) => $"commit refs/heads/main\ncommitter {who} <t@t> {1_700_000_000 + (minute * 60)} +0000\ndata {System.Text.Encoding.UTF8.GetByteCount(message)}\n{message}\n";

    private static string File(string path, string content) => $"M 100644 inline {path}\ndata {content.Length}\n{content}\n";

    private static async Task<string> TextAsync(string address) => WebUtility.HtmlDecode(await RawAsync(address));

    private static async Task<string> RawAsync(string address)
    {
        var answer = await browser.Client.GetAsync(new Uri(address, UriKind.Relative), Ct);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(Ct);
    }
}
