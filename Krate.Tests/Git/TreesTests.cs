using System.Text;
using Krate.Core.Git;
using Xunit;

namespace Krate.Tests.Git;

public sealed class TreesTests(OddRepository odd) : IClassFixture<OddRepository>
{
    private GitRepository Git => odd.Repository;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static TheoryData<string> Names => new(OddRepository.Names);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_file_of_any_name_is_found_read_and_named_in_its_folder(string path)
    {
        var entry = await Git.FindEntryAsync(odd.Commit, path, Ct);
        var slash = path.LastIndexOf('/');
        var folder = await Git.ListFolderAsync(odd.Commit, slash < 0 ? "" : path[..slash], Ct);
        var bytes = await Git.ReadBlobAsync(entry!.Id, 1000, Ct);

        Assert.Equal(path[(slash + 1)..], entry.Name);
        Assert.Contains(folder!.Entries, e => e.Name == entry.Name && e.Id == entry.Id && e.IsNamed);
        Assert.Equal($"in {path.ReplaceLineEndings(" ")}\n", Encoding.UTF8.GetString(bytes!));
        Assert.Equal(bytes!.Length, entry.Size);
        Assert.Contains(path, (await Git.ListPathsAsync(odd.Commit, Ct)).Paths);
    }

    [Fact]
    public async Task A_folder_says_of_each_entry_what_it_is_folders_first()
    {
        var entries = (await Git.ListFolderAsync(odd.Commit, "", Ct))!.Entries;
        TreeEntry Of(string name) => entries.Single(e => e.Name == name);

        Assert.Equal(TreeEntryKind.Executable, Of("run.sh").Kind);
        Assert.Equal((TreeEntryKind.Symlink, "docs/guide.md"), (Of("link.md").Kind, Of("link.md").Target));
        Assert.Equal((TreeEntryKind.Symlink, "/etc/passwd"), (Of("out.link").Kind, Of("out.link").Target));
        Assert.Equal((TreeEntryKind.Submodule, OddRepository.Submodule), (Of("sub").Kind, Of("sub").Id));
        Assert.Equal(TreeEntryKind.Folder, Of("docs").Kind);
        Assert.False(Of("bad\uFFFD.txt").IsNamed);
        Assert.Equal(entries.Count(e => e.IsFolder), entries.TakeWhile(e => e.IsFolder).Count());
    }

    [Theory]
    [InlineData("..")]
    [InlineData("docs/../docs")]
    [InlineData("./docs")]
    [InlineData("docs//guide.md")]
    [InlineData("nothing")]
    [InlineData("docs/nothing")]
    [InlineData("run.sh/x")]
    [InlineData("a\0b")]
    public async Task What_is_not_there_is_null(string path)
    {
        Assert.Null(await Git.FindEntryAsync(odd.Commit, path, Ct));
        Assert.Null(await Git.ListFolderAsync(odd.Commit, path, Ct));
    }

    [Fact]
    public async Task A_file_is_no_folder_and_the_root_is_one()
    {
        Assert.Null(await Git.ListFolderAsync(odd.Commit, "run.sh", Ct));
        Assert.True((await Git.FindEntryAsync(odd.Commit, "", Ct))!.IsFolder);
    }

    [Fact]
    public async Task A_large_blob_is_not_read_whole_but_streamed_whole()
    {
        var huge = (await Git.FindEntryAsync(odd.Commit, "huge.txt", Ct))!;
        Assert.Null(await Git.ReadBlobAsync(huge.Id, 2 << 20, Ct));
        Assert.Equal(8000, (await Git.ReadBlobStartAsync(huge.Id, 8000, Ct)).Length);
        using var copy = new MemoryStream();
        await Git.CopyBlobAsync(huge.Id, copy, Ct);
        Assert.Equal((2 << 20) + 1, copy.Length);
    }

    [Theory]
    [InlineData("main/docs/guide.md", RevisionKind.Branch, "main", "docs/guide.md")]
    [InlineData("fix/with/slash/docs", RevisionKind.Branch, "fix/with/slash", "docs")]
    [InlineData("feature/feature/in-folder.txt", RevisionKind.Branch, "feature", "feature/in-folder.txt")]
    [InlineData("refs/tags/feature/only-in-tag.txt", RevisionKind.Tag, "refs/tags/feature", "only-in-tag.txt")]
    [InlineData("v1", RevisionKind.Tag, "v1", "")]
    public async Task An_address_names_the_ref_that_people_mean(string address, RevisionKind kind, string name, string path)
    {
        var revision = (await Git.ResolveAsync(address, Ct))!;
        Assert.Equal((kind, name, path), (revision.Kind, revision.Name, revision.Path));
        Assert.NotNull(await Git.FindEntryAsync(revision.Commit, path, Ct));
    }

    [Fact]
    public async Task Branches_and_tags_are_listed_up_to_a_bound()
    {
        var names = await Git.ListRefNamesAsync(10, Ct);
        Assert.Equal(["feature", "fix/with/slash", "main"], names.Branches);
        Assert.Equal(["feature", "v1"], names.Tags);
        Assert.Single((await Git.ListRefNamesAsync(1, Ct)).Branches);
    }
}
