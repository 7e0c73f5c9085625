using System.Net;
using Krate.Tests.Repositories;
using Krate.Tests.Testing;
using Krate.Web.Features.Code;
using Xunit;

namespace Krate.Tests.Pages.Code;

/// <summary>The first HTML of a repository with 5,000 branches, 5,000 tags and a file that 20,000 commits changed.</summary>
[Collection(typeof(ImpatientCollection))]
public sealed class LargeRepositoryTests(ImpatientWorld world) : IAsyncLifetime
{
    private const int Commits = 20_000;
    private const int Refs = 5_000;
    private const int MostCharacters = 400_000;
    private readonly GitClient git = new();
    private Browser browser = null!;
    private CodeUrls urls = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var repository = await world.NewRepositoryAsync();
        var directory = "--git-dir=" + world.DirectoryOf(repository.Name);
        await git.FeedAsync(".", Script(), directory, "fast-import", "--quiet");
        var head = await git.RunAsync(".", directory, "rev-parse", "main");
        // As pack-refs writes it, which sorts.
        var lines = Enumerable.Range(0, Refs).SelectMany(n => (string[])[$"refs/heads/b/{n:D4}", $"refs/tags/v{n:D4}"]).Order(StringComparer.Ordinal).Select(name => $"{head} {name}\n");
        await File.WriteAllTextAsync(Path.Combine(world.DirectoryOf(repository.Name), "packed-refs"), "# pack-refs with: peeled fully-peeled sorted \n" + string.Concat(lines), Ct);
        browser = world.Server.NewBrowser();
        await browser.SignInAsync();
        urls = new("acme", repository.Name);
    }

    public ValueTask DisposeAsync()
    {
        git.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Every_page_of_it_is_small_and_leads_to_the_rest()
    {
        var home = await TextAsync(urls.Home);
        Assert.Contains($"href=\"{urls.Tree("main")}\"", home, StringComparison.Ordinal);
        Assert.Contains($"href=\"{urls.Branches}\"", home, StringComparison.Ordinal);
        Assert.Contains($"href=\"{urls.Tags}\"", home, StringComparison.Ordinal);
        Assert.Contains("All branches", home, StringComparison.Ordinal);
        Assert.Contains("All tags", home, StringComparison.Ordinal);

        Assert.Contains("b/4999", await TextAsync(urls.Branches + "?q=b/4999"), StringComparison.Ordinal);
        Assert.Contains("Page 101 of 101", await TextAsync(urls.Branches + "?page=101"), StringComparison.Ordinal);
        Assert.Contains("Page 100 of 100", await TextAsync(urls.Tags + "?page=100"), StringComparison.Ordinal);
        Assert.Contains("count.txt", await TextAsync(urls.Tree("b/4999")), StringComparison.Ordinal);

        Assert.Contains($"Commit {Commits - 1}<", await TextAsync(urls.History("main", "count.txt")), StringComparison.Ordinal);
        Assert.Contains("Commit 0<", await TextAsync(urls.History("main", "count.txt") + $"?page={(Commits + 29) / 30}"), StringComparison.Ordinal);
        Assert.Contains("Commit 0<", await TextAsync(urls.History("main", "once.txt")), StringComparison.Ordinal);
        Assert.Contains("There are no older ones.", await TextAsync(urls.History("main", "count.txt") + "?page=100000"), StringComparison.Ordinal);
        Assert.Contains($"Commit {Commits - 1}", await TextAsync(urls.Blame("main", "count.txt")), StringComparison.Ordinal);
    }

    private static IEnumerable<string> Script()
    {
        for (var i = 0; i < Commits; i++)
        {
            var (message, content) = ($"Commit {i}", $"{i}\n");
            yield return $"commit refs/heads/main\ncommitter T <t@t> {1_700_000_000 + i} +0000\ndata {message.Length}\n{message}\nM 100644 inline count.txt\ndata {content.Length}\n{content}\n";
            if (i == 0) yield return "M 100644 inline once.txt\ndata 1\nx\n";
        }
    }

    private async Task<string> TextAsync(string address)
    {
        using var answer = await browser.Client.GetAsync(new Uri(address, UriKind.Relative), Ct);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.InRange(text.Length, 1, MostCharacters);
        return WebUtility.HtmlDecode(text);
    }
}
