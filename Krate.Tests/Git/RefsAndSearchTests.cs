using Krate.Core.Git;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Git;

public sealed class RefsAndSearchTests : IAsyncLifetime
{
    private readonly GitClient client = new();
    private GitRepository git = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await client.NewRepositoryAsync("work", "src/main.go", "package main\n\nfunc Main() { println(\"a.b\", `x`) }\n");
        await client.CommitAsync("work", "a b/# %25 \"q\" ü.txt", "Needle in a hay\nneedle again\n");
        await client.CommitAsync("work", "bin.dat", "needle\0binary");
        await client.CommitAsync("work", "long.txt", "needle " + new string('x', 5000) + "\n" + string.Concat(Enumerable.Repeat("many\n", 500)));
        await client.RunAsync("work", "tag", "light");
        await client.RunAsync("work", "tag", "-a", "-m", "Release\n\nWords.", "v1.0");
        await client.RunAsync("work", "tag", "of-a-tree", "HEAD^{tree}");
        await client.RunAsync("work", "checkout", "--quiet", "-b", "feature/x", "HEAD~2");
        await client.CommitAsync("work", "x.txt", "x\n", "On <b>feature</b>");
        git = new GitRepository(client.In("work", ".git"));
    }

    public ValueTask DisposeAsync()
    {
        client.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Branches_and_tags_say_where_they_are_and_how_far_apart()
    {
        var branches = await git.ListBranchesAsync(Ct);
        var tags = await git.ListTagsAsync(Ct);
        var (main, feature) = (branches.Single(b => b.Name == "main"), branches.Single(b => b.Name == "feature/x"));

        Assert.Equal(("Tester", "On <b>feature</b>"), (feature.By, feature.Message));
        Assert.Equal(new Divergence(1, 2), await git.CompareAsync(main.Commit, feature.Commit, Ct));
        Assert.Equal((true, "Release", main.Commit), (tags.Single(t => t.Name == "v1.0").IsAnnotated, tags.Single(t => t.Name == "v1.0").Message, tags.Single(t => t.Name == "v1.0").Commit));
        Assert.False(tags.Single(t => t.Name == "light").IsAnnotated);
        Assert.Equal("", tags.Single(t => t.Name == "of-a-tree").Commit);
    }

    [Theory]
    [InlineData("needle", false, false, 3)]
    [InlineData("Needle", false, true, 1)]
    [InlineData("a.b", false, true, 1)]
    [InlineData("n[e]{2}dle", true, false, 3)]
    [InlineData("-e", false, false, 0)]
    [InlineData("--output=/tmp/never", false, false, 0)]
    public async Task A_text_or_an_expression_is_found_in_text_files_only(string text, bool regex, bool matchCase, int hits)
    {
        var result = await SearchAsync(new SearchQuery(text, regex, matchCase, ""));
        Assert.Equal((hits, false, null), (result.Hits.Count, result.IsCut, result.Problem));
        Assert.All(result.Hits, h => Assert.True(h.Text.Length <= 400));
    }

    [Fact]
    public async Task A_hit_has_the_path_as_it_is_the_line_and_its_number()
    {
        var result = await SearchAsync(new SearchQuery("again", false, false, "a b"));
        Assert.Equal(new SearchHit("a b/# %25 \"q\" ü.txt", 2, "needle again"), Assert.Single(result.Hits));
        Assert.Equal(20, (await SearchAsync(new SearchQuery("many", false, false, ""))).Hits.Count);
    }

    [Fact]
    public async Task An_expression_that_cannot_be_is_told_in_gits_words()
    {
        Assert.NotNull((await SearchAsync(new SearchQuery("a(", true, false, ""))).Problem);
        Assert.NotNull((await SearchAsync(new SearchQuery("a\nb", false, false, ""))).Problem);
    }

    [Fact]
    public async Task An_expression_that_is_wrong_or_wants_all_memory_is_refused_in_a_few_words()
    {
        foreach (var expression in (string[])["[", "a{2,1}", "[[:nothing:]]", "[z-a]", "a\\", "(a)\\2", "((a{1,200}){1,200}){1,200}b"])
        {
            var result = await SearchAsync(new SearchQuery(expression, true, true, ""));
            Assert.Empty(result.Hits);
            Assert.True(result.Problem is { Length: > 0 and < 60 }, $"{expression}: {result.Problem}");
        }
    }

    [Fact]
    public async Task An_expression_of_thousands_of_words_finds_and_one_that_never_ends_is_ended()
    {
        await client.CommitAsync("work", "a.txt", string.Concat(Enumerable.Repeat(new string('a', 60) + "\n", 50)));
        var commit = (await git.FindCommitAsync("HEAD", Ct))!;
        Assert.Equal((0, false, null), Told(await git.SearchAsync(commit, new SearchQuery("(a+)+$b", true, true, ""), Ct)));
        Assert.Equal((1, false, null), Told(await git.SearchAsync(commit, new SearchQuery(string.Join('|', Enumerable.Range(0, 2000).Select(n => $"word{n}")) + "|func Main", true, true, ""), Ct)));
        Assert.Equal((0, true, null), Told(await git.SearchAsync(commit, new SearchQuery(@"(a*)*(a*)*\1\2b", true, true, ""), Ct, TimeSpan.FromSeconds(0.2))));

        static (int, bool, string?) Told(SearchResult result) => (result.Hits.Count, result.IsCut, result.Problem);
    }

    private async Task<SearchResult> SearchAsync(SearchQuery query) => await git.SearchAsync((await git.FindCommitAsync("main", Ct))!, query, Ct);
}
