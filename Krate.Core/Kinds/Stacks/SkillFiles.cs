using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Git;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Stacks;

/// <summary>The source of a skill is not what it has to be. The message is for whoever wrote the skill.</summary>
internal sealed class SkillSourceException(string message) : Exception(message);

/// <summary>The files of a skill at one commit.</summary>
/// <param name="Texts">Those that are text, by path below the skill.</param>
internal sealed record SkillFiles(string Digest, IReadOnlyList<(string Path, string Text)> Texts)
{
    private const int MostFiles = 200, MostBytes = 1 << 20, MostDepth = 8;
    public const string Manifest = "SKILL.md";
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <exception cref="SkillSourceException">There is no such file or folder, or it may not be a skill.</exception>
    public static async Task<SkillFiles> ReadAsync(GitRepository git, string commit, string path, bool isFolder, CancellationToken ct)
    {
        var entry = await git.FindEntryAsync(commit, path.Trim('/'), ct) ?? throw new SkillSourceException($"there is no {path} in commit {commit[..12]}");
        if (entry.IsFolder != isFolder || entry.Kind is TreeEntryKind.Symlink or TreeEntryKind.Submodule) throw new SkillSourceException($"{path} is no {(isFolder ? "folder" : "file")}");
        var files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        if (isFolder) await AddFolderAsync(git, commit, path.Trim('/'), "", files, ct);
        else await AddFileAsync(git, entry, entry.Name, files, ct);
        var texts = files.Select(f => (Path: f.Key, Text: TextOf(f.Value))).Where(f => f.Text is not null).Select(f => (f.Path, f.Text!)).ToList();
        if (isFolder) CheckManifest(texts.FirstOrDefault(t => t.Path == Manifest).Item2);
        else if (texts.Count == 0) throw new SkillSourceException($"{path} is no text in UTF-8");
        return new(isFolder ? CanonicalJson.Digest(new JsonObject(files.Select(f => KeyValuePair.Create(f.Key, (JsonNode?)ContentDigest.Of(f.Value))))) : ContentDigest.Of(files.Values.First()), texts);
    }

    private static async Task AddFolderAsync(GitRepository git, string commit, string folder, string below, SortedDictionary<string, byte[]> files, CancellationToken ct)
    {
        if (below.Count(c => c == '/') >= MostDepth) throw new SkillSourceException($"it has folders more than {MostDepth} deep");
        var listing = await git.ListFolderAsync(commit, folder, ct) ?? throw new SkillSourceException($"there is no folder {folder}");
        if (listing.IsCut || listing.Entries.Count > MostFiles) throw TooMany();
        foreach (var entry in listing.Entries)
        {
            // What a link names is decided where it is followed, and a submodule is another repository.
            if (!entry.IsNamed || entry.Kind is TreeEntryKind.Symlink or TreeEntryKind.Submodule) throw new SkillSourceException($"{below}{entry.Name} is no plain file or folder");
            if (entry.IsFolder) await AddFolderAsync(git, commit, $"{folder}/{entry.Name}".TrimStart('/'), $"{below}{entry.Name}/", files, ct);
            else await AddFileAsync(git, entry, below + entry.Name, files, ct);
        }
    }

    private static async Task AddFileAsync(GitRepository git, TreeEntry entry, string name, SortedDictionary<string, byte[]> files, CancellationToken ct)
    {
        if (files.Count >= MostFiles) throw TooMany();
        var left = MostBytes - files.Values.Sum(f => f.Length);
        files[name] = await git.ReadBlobAsync(entry.Id, left, ct) ?? throw TooMany();
    }

    private static SkillSourceException TooMany() => new($"it has more than {MostFiles} files or {MostBytes >> 20} MiB");

    private static string? TextOf(byte[] bytes)
    {
        try
        {
            return bytes.Contains((byte)0) ? null : Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    /// <summary>Front matter: YAML between two lines of three dashes, with the name and what the skill is for.</summary>
    private static void CheckManifest(string? text)
    {
        if (text is null) throw new SkillSourceException($"it has no {Manifest} in UTF-8");
        var lines = text.TrimStart('\uFEFF').ReplaceLineEndings("\n").Split('\n');
        var end = Array.IndexOf(lines, "---", 1);
        if (lines[0] != "---" || end < 0) throw new SkillSourceException($"{Manifest} does not begin with front matter (YAML between two lines of ---)");
        JsonObject front;
        try
        {
            front = Yaml.ParseObject(string.Join('\n', lines[1..end]));
        }
        catch (ApiException e)
        {
            throw new SkillSourceException($"the front matter of {Manifest}: {e.Message}");
        }

        foreach (var field in new[] { "name", "description" })
            if (string.IsNullOrWhiteSpace(front.Text(field))) throw new SkillSourceException($"the front matter of {Manifest} has no {field}");
    }
}
