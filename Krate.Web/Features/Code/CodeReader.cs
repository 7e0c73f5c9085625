using Krate.Core.Git;
using Krate.Core.Repositories;
using Krate.Web.Components.Code;
using Krate.Web.Components.Markdown;

namespace Krate.Web.Features.Code;

/// <summary>Reads from a repository what one page shows, and no more. Thread-safe.</summary>
public sealed class CodeReader(CodeHighlighter highlighter, MarkdownRenderer markdown)
{
    /// <summary>Larger files are offered as raw only.</summary>
    public const int MaxShownBytes = 2 << 20;

    /// <summary>Images above this are not loaded into the page.</summary>
    public const long MaxImageBytes = 20 << 20;
    private const int MaxRefs = 1000;

    /// <param name="page">"tree", "blob", or empty for the start of the repository.</param>
    /// <param name="rest">Branch, tag or commit and the path.</param>
    /// <param name="source">Show Markdown, tables and SVG as text.</param>
    public async Task<CodeState> LoadAsync(HostedRepository repository, CodeUrls urls, string page, string rest, bool source, CancellationToken ct)
    {
        if (!repository.IsHosted) return new(null, new NotHosted(), new([], []));
        var git = repository.Git;
        var naming = git.ListRefNamesAsync(MaxRefs, ct);
        var asked = rest.Length > 0 ? rest : repository.DefaultBranch;
        var revision = await git.ResolveAsync(asked, ct);
        var refs = await WithDefaultAsync(await naming, repository, ct);
        if (revision is null) return new(null, refs.Branches.Count + refs.Tags.Count == 0 && rest.Length == 0 ? new NothingPushed() : new NoSuchRevision(asked), refs);
        return new(revision, await ReadAsync(git, urls, revision, source, ct), refs);
    }

    /// <summary>Of more branches than are listed, the default one is listed all the same.</summary>
    private static async Task<RefNames> WithDefaultAsync(RefNames refs, HostedRepository repository, CancellationToken ct)
    {
        if (!refs.HasMoreBranches || refs.Branches.Contains(repository.DefaultBranch)) return refs;
        return await repository.Git.FindRefAsync(RefUpdate.Heads + repository.DefaultBranch, ct) is null ? refs : refs with { Branches = [repository.DefaultBranch, .. refs.Branches] };
    }

    private async Task<CodeContent> ReadAsync(GitRepository git, CodeUrls urls, Revision revision, bool source, CancellationToken ct)
    {
        if (await git.FindEntryAsync(revision.Commit, revision.Path, ct) is not { } entry) return new NoSuchPath(revision.Path);
        if (!entry.IsFolder) return await ReadFileAsync(git, urls, revision, entry, revision.Path, source, ct);
        var listing = await git.ListFolderAsync(revision.Commit, revision.Path, ct) ?? new([], false);
        return new FolderContent(listing, await ReadmeAsync(git, urls, revision, listing, ct));
    }

    private async Task<FileContent?> ReadmeAsync(GitRepository git, CodeUrls urls, Revision revision, TreeListing listing, CancellationToken ct)
    {
        var name = listing.Entries.Where(e => e.Kind is TreeEntryKind.File or TreeEntryKind.Executable && e.IsNamed).Select(e => (Entry: e, Rank: FileTypes.ReadmeRank(e.Name))).Where(e => e.Rank > 0).OrderBy(e => e.Rank).FirstOrDefault().Entry?.Name;
        if (name is null) return null;
        var path = revision.Path.Length == 0 ? name : $"{revision.Path}/{name}";
        if (await git.FindEntryAsync(revision.Commit, path, ct) is not { } entry) return null;
        return await ReadFileAsync(git, urls, revision, entry, path, source: false, ct) is { Html: not null } readme ? readme : null;
    }

    private async Task<FileContent> ReadFileAsync(GitRepository git, CodeUrls urls, Revision revision, TreeEntry entry, string path, bool source, CancellationToken ct)
    {
        FileContent Of(FileShape shape) => new(entry, path, shape);
        if (entry.Kind == TreeEntryKind.Submodule) return Of(FileShape.Submodule);
        if (entry.Kind == TreeEntryKind.Symlink) return Of(FileShape.Symlink);
        var image = FileTypes.IsImage(entry.Name);
        if (image && !FileTypes.IsSvg(entry.Name)) return Of(entry.Size > MaxImageBytes ? FileShape.TooLarge : FileShape.Image);
        if (entry.Size > MaxShownBytes || await git.ReadBlobAsync(entry.Id, MaxShownBytes, ct) is not { } bytes) return Of(FileShape.TooLarge);
        if (BlobText.Read(bytes) is not { } text) return Of(image ? FileShape.Image : FileShape.Binary);
        if (text.AsLfsPointer() is { } pointer) return Of(FileShape.LargeStorage) with { Large = pointer };
        var shown = Of(FileShape.Code) with { Text = text, Lines = CodeLines.Count(text.Text) };
        if (image) shown = shown with { Shape = FileShape.Image };
        if (FileTypes.IsMarkdown(entry.Name) && text.Text.Length <= MarkdownRenderer.MaxChars) shown = shown with { Shape = FileShape.Markdown };
        if (FileTypes.Separator(entry.Name) is { } separator && CsvRows.Read(text.Text, separator) is { } rows) shown = shown with { Shape = FileShape.Table, Rows = rows };
        if (shown.Shape == FileShape.Markdown && !source) return shown with { Html = await markdown.RenderAsync(text.Text, new RepositoryLinks(urls, revision.Name, path), ct) };
        if (shown.Shape != FileShape.Code && !source) return shown;
        return shown with { Html = await highlighter.ToHtmlAsync(entry.Id, entry.Name, text.Text, ct) };
    }
}
