using System.Net;
using System.Net.Http.Headers;
using Krate.Core.Repositories;
using Krate.Tests.Git;
using Krate.Tests.Repositories;
using Krate.Tests.Testing;
using Krate.Web.Features.Code;
using Xunit;

namespace Krate.Tests.Pages.Code;

/// <summary>The first HTML of the pages, and raw files, from a running Krate with a pushed repository of hard names.</summary>
[Collection(typeof(GitCollection))]
public sealed class CodePagesTests(GitWorld world)
{
    private static readonly SemaphoreSlim Once = new(1);
    private static string name = "";
    private static Browser browser = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static CodeUrls Urls => new("acme", name);

    public static TheoryData<string> Names => new(OddRepository.Names);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_file_of_any_name_has_a_page_and_its_raw_bytes(string path)
    {
        await PrepareAsync();
        var words = path.ReplaceLineEndings(" ");
        var page = await TextAsync(Urls.Blob("main", path));
        var raw = await GetAsync(Urls.Raw("main", path));

        Assert.Contains("in " + words, page, StringComparison.Ordinal);
        Assert.Equal($"in {words}\n", await raw.Content.ReadAsStringAsync(Ct));
        Assert.Equal("text/plain; charset=utf-8", raw.Content.Headers.ContentType!.ToString());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task The_history_the_blame_and_a_permalink_of_any_name_are_of_that_file(string path)
    {
        await PrepareAsync();
        var words = path.ReplaceLineEndings(" ");
        var commit = (await new Krate.Core.Git.GitRepository(world.DirectoryOf(name)).FindCommitAsync("main", Ct))!;
        Assert.Contains("in " + words, await TextAsync(Urls.Blame("main", path)), StringComparison.Ordinal);
        Assert.Contains("in " + words, await TextAsync(Urls.Blob(commit, path)), StringComparison.Ordinal);
        Assert.Contains($"{Urls.Home}/commit/{commit}", await TextAsync(Urls.History("main", path)), StringComparison.Ordinal);
        Assert.DoesNotContain($"{Urls.Home}/commit/{commit}", await TextAsync(Urls.History("main", path + "x")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tree/a..b")]
    [InlineData("tree/main..feature")]
    [InlineData("tree/main%5E")]
    [InlineData("tree/HEAD@%7B1%7D")]
    [InlineData("tree/--output=x")]
    [InlineData("blob/-dash/run.sh")]
    [InlineData("tree/%00")]
    public async Task What_is_no_name_of_a_branch_names_nothing(string address)
    {
        await PrepareAsync();
        var answer = await GetAsync($"{Urls.Home}/{address}");
        var text = WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync(Ct));
        Assert.True(answer.StatusCode == HttpStatusCode.BadRequest || text.Contains("No branch, tag or commit", StringComparison.Ordinal), $"{answer.StatusCode} {text.Length}");
    }

    [Fact]
    public async Task A_pointer_to_large_storage_and_a_repository_that_is_damaged_say_so()
    {
        var repository = await world.NewRepositoryAsync();
        using var git = new GitClient();
        await git.NewRepositoryAsync("work", "film.mp4", $"version https://git-lfs.github.com/spec/v1\noid sha256:{new string('a', 64)}\nsize 123456789\n");
        await git.RunAsync("work", "push", "--quiet", world.UrlOf(repository.Name), "main");
        await PrepareAsync();
        var urls = new CodeUrls("acme", repository.Name);
        Assert.Contains("Kept in Git LFS", await TextAsync(urls.Blob("main", "film.mp4")), StringComparison.Ordinal);

        foreach (var file in Directory.EnumerateFiles(Path.Combine(world.DirectoryOf(repository.Name), "objects"), "*", SearchOption.AllDirectories))
        {
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            await File.WriteAllTextAsync(file, "damaged", Ct);
        }

        foreach (var address in (string[])[urls.Home, urls.Blob("main", "film.mp4"), urls.History("main"), urls.Branches])
        {
            var page = await TextAsync(address);
            Assert.True(page.Contains("git could not read the repository", StringComparison.Ordinal) || page.Contains("No branch, tag or commit", StringComparison.Ordinal) || page.Contains("No such branch", StringComparison.Ordinal), address);
        }
    }

    [Theory]
    [InlineData("fix/with/slash", "docs/guide.md", "Guide")]
    [InlineData("feature", "feature/in-folder.txt", "f")]
    [InlineData("refs/tags/feature", "only-in-tag.txt", "t")]
    [InlineData("v1", "run.sh", "#!/bin/sh")]
    [InlineData("main", "link.md", "A symbolic link")]
    [InlineData("main", "sub", "A submodule")]
    [InlineData("main", "docs/bin.dat", "A binary file")]
    [InlineData("main", "huge.txt", "Too large to show")]
    [InlineData("main", "empty.txt", "This file is empty.")]
    [InlineData("main", "nothing.txt", "nothing.txt is not here")]
    public async Task What_an_address_names_is_in_the_first_HTML(string revision, string path, string words)
    {
        await PrepareAsync();
        Assert.Contains(words, await TextAsync(Urls.Blob(revision, path)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_start_of_a_repository_lists_its_files_and_an_empty_one_says_how_to_push()
    {
        await PrepareAsync();
        var empty = await world.NewRepositoryAsync();
        var home = await TextAsync(Urls.Home);
        Assert.Contains("ünïcode", home, StringComparison.Ordinal);
        Assert.Contains($"{world.Server.Http}git/acme/{name}.git", home, StringComparison.Ordinal);
        Assert.Contains($"git remote add origin {world.Server.Http}git/acme/{empty.Name}.git", await TextAsync(new CodeUrls("acme", empty.Name).Home), StringComparison.Ordinal);
        Assert.Contains("No branch, tag or commit gone", await TextAsync(Urls.Tree("gone")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("docs/pic.svg", "image/svg+xml", null)]
    [InlineData("docs/page.html", "text/plain; charset=utf-8", null)]
    [InlineData("docs/bin.dat", "application/octet-stream", "attachment")]
    public async Task Raw_files_cannot_run(string path, string type, string? disposition)
    {
        await PrepareAsync();
        var raw = await GetAsync(Urls.Raw("main", path));

        Assert.Equal(type, raw.Content.Headers.ContentType!.ToString());
        Assert.Equal(disposition, raw.Content.Headers.ContentDisposition?.DispositionType);
        var policy = Assert.Single(raw.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("sandbox;", policy, StringComparison.Ordinal);
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("script-src", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", Assert.Single(raw.Headers.GetValues("X-Content-Type-Options")));
    }

    [Fact]
    public async Task A_raw_file_that_is_known_is_not_sent_again()
    {
        await PrepareAsync();
        var first = await GetAsync(Urls.Raw("main", "huge.txt"));
        Assert.Equal((2 << 20) + 1, first.Content.Headers.ContentLength);
        using var again = new HttpRequestMessage(HttpMethod.Get, Urls.Raw("main", "huge.txt"));
        again.Headers.IfNoneMatch.Add(new EntityTagHeaderValue(first.Headers.ETag!.Tag));
        Assert.Equal(HttpStatusCode.NotModified, (await browser.Client.SendAsync(again, Ct)).StatusCode);
    }

    [Theory]
    [InlineData("branches?page=abc", "main")]
    [InlineData("tags?page=-1", "v1")]
    [InlineData("search?q=Guide&regex=x", "docs/guide.md")]
    [InlineData("search?q=(&regex=1", "cannot be used")]
    [InlineData("history/main?page=abc", "committed")]
    [InlineData("compare/main...feature?w=abc", "Compare")]
    [InlineData("compare/main...gone", "No branch, tag or commit gone")]
    [InlineData("commit/0123456789", "No such commit")]
    [InlineData("commit/main?view=split", "changed")]
    public async Task Pages_of_history_show_their_contents_first_and_take_odd_questions(string address, string words)
    {
        await PrepareAsync();
        Assert.Contains(words, await TextAsync($"{Urls.Home}/{address}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_public_repository_is_read_by_who_may_see_nothing_else_of_the_organization()
    {
        var repository = await world.NewRepositoryAsync("public");
        using var git = new GitClient();
        await git.NewRepositoryAsync("work", "README.md", "# Open to all\n");
        await git.RunAsync("work", "push", "--quiet", world.UrlOf(repository.Name), "main");
        using var outsider = world.ClientOf("oskar");
        outsider.DefaultRequestHeaders.Accept.ParseAdd("text/html");

        Assert.Contains("Open to all", await outsider.GetStringAsync(new Uri(new CodeUrls("acme", repository.Name).Home, UriKind.Relative), Ct), StringComparison.Ordinal);
        using var org = await outsider.GetAsync(new Uri("/orgs/acme", UriKind.Relative), Ct);
        Assert.Equal(HttpStatusCode.NotFound, org.StatusCode);
    }

    [Fact]
    public async Task What_is_hidden_and_what_is_not_there_are_answered_alike()
    {
        await PrepareAsync();
        string[] addresses = [Urls.Raw("main", "run.sh"), new CodeUrls("acme", "no-such").Raw("main", "run.sh"), new CodeUrls("no-such", "no-such").Raw("main", "run.sh")];
        using var stranger = world.Server.NewClient(world.TokenOf("oskar"));
        foreach (var address in addresses)
        {
            var answer = await stranger.GetAsync(new Uri(address, UriKind.Relative), Ct);
            Assert.Equal((HttpStatusCode.NotFound, ""), (answer.StatusCode, await answer.Content.ReadAsStringAsync(Ct)));
        }

        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync(Urls.Raw("main", "docs"))).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync(Urls.Raw("main", "../../../secrets"))).StatusCode);
    }

    /// <summary>One repository and one signed-in browser for all tests of this class.</summary>
    private async Task PrepareAsync()
    {
        await Once.WaitAsync(Ct);
        try
        {
            if (name.Length > 0) return;
            var repository = await world.NewRepositoryAsync();
            using var git = new GitClient();
            await git.FeedAsync(".", OddRepository.Script(), "--git-dir=" + world.Server.Service<RepositoryFiles>().DirectoryOf("acme", repository.Name), "fast-import", "--quiet");
            browser = world.Server.NewBrowser();
            await browser.SignInAsync();
            name = repository.Name;
        }
        finally
        {
            Once.Release();
        }
    }

    private static Task<HttpResponseMessage> GetAsync(string address) => browser.Client.GetAsync(new Uri(address, UriKind.Relative), Ct);

    private static async Task<string> TextAsync(string address)
    {
        var answer = await GetAsync(address);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync(Ct));
    }
}
