using Krate.Web.Components.Markdown;

namespace Krate.Web.Features.Code;

/// <summary>Links in a Markdown file of a repository: relative to its folder, at the same revision.</summary>
/// <param name="file">Path of the file.</param>
public sealed class RepositoryLinks(CodeUrls urls, string revision, string file) : MarkdownLinks
{
    public override string? Here => urls.Blob(revision, file);

    public override string? Page(string path) => Find(file, path) is not { } found ? null : found.Length == 0 ? urls.Tree(revision) : urls.Blob(revision, found);

    public override string? Image(string path) => Find(file, path) is { Length: > 0 } found ? urls.Raw(revision, found) : null;

    /// <returns>Path from the root; null for what lies outside of the repository.</returns>
    internal static string? Find(string file, string path)
    {
        var found = new List<string>();
        if (!path.StartsWith('/')) found.AddRange(file.Split('/')[..^1]);
        foreach (var part in path.Split('/'))
        {
            if (part is "" or ".") continue;
            if (part != "..") found.Add(part);
            else if (found.Count == 0) return null;
            else found.RemoveAt(found.Count - 1);
        }

        return string.Join('/', found);
    }
}
