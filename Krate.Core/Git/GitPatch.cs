using System.Text;

namespace Krate.Core.Git;

/// <summary>A patch as git wrote it (<c>diff-tree -p -M --binary --full-index</c>), read back without a repository: its files in their order.</summary>
/// <param name="Files">The first of them.</param>
/// <param name="Total">How many files it changes, those included that are not listed.</param>
/// <param name="Added">Lines of all of them.</param>
public sealed record GitPatch(IReadOnlyList<GitPatchFile> Files, int Total, int Added, int Removed)
{
    private const string NoFile = "/dev/null", NoMode = "000000";

    private static readonly string[] Facts = ["old mode ", "new mode ", "deleted file mode ", "new file mode ", "copy from ", "copy to ", "rename from ", "rename to ", "index ", "--- ", "+++ ", "diff --git ", "Binary files ", "GIT binary patch"];

    /// <param name="mostFiles">So many are listed.</param>
    /// <param name="mostLines">Hunks of so many lines are kept; a file that goes beyond them is listed without.</param>
    public static GitPatch Read(ReadOnlySpan<byte> patch, int mostFiles, int mostLines)
    {
        var files = new List<GitPatchFile>();
        var (total, added, removed, left) = (0, 0, 0, mostLines);
        while (DiffParser.NextPatch(ref patch) is { IsEmpty: false } one)
        {
            var hunks = DiffParser.Hunks(DiffParser.TextOf(one));
            var file = FileOf(one, hunks);
            (added, removed) = (added + (file.Added ?? 0), removed + (file.Removed ?? 0));
            if (files.Count > 0 && IsOtherHalf(files[^1].File, file))
            {
                files[^1] = new(files[^1].File with { Status = DiffStatus.TypeChanged, Mode = file.Mode, Id = file.Id, Added = Sum(files[^1].File.Added, file.Added), Removed = Sum(files[^1].File.Removed, file.Removed) }, Both(files[^1].Hunks, Kept(hunks, ref left)));
                continue;
            }

            if (++total <= mostFiles) files.Add(new(file, Kept(hunks, ref left)));
        }

        return new(files, total, added, removed);
    }

    /// <summary>git tells a file that became a link as one that goes and one that comes.</summary>
    private static bool IsOtherHalf(DiffFile before, DiffFile file) => before.Status == DiffStatus.Deleted && file.Status == DiffStatus.Added && before.Path == file.Path;

    private static int? Sum(int? one, int? other) => one is null && other is null ? null : (one ?? 0) + (other ?? 0);

    private static IReadOnlyList<DiffHunk>? Both(IReadOnlyList<DiffHunk>? gone, IReadOnlyList<DiffHunk>? come) => gone is null || come is null ? null : [.. gone, .. come];

    private static IReadOnlyList<DiffHunk>? Kept(IReadOnlyList<DiffHunk> hunks, ref int left)
    {
        var lines = hunks.Sum(h => h.Lines.Count);
        if (lines > left) return null;
        left -= lines;
        return hunks;
    }

    private static DiffFile FileOf(ReadOnlySpan<byte> patch, IReadOnlyList<DiffHunk> hunks)
    {
        var end = patch.IndexOf("\n@@ -"u8);
        // Names are UTF-8 whatever the lines are.
        var facts = FactsOf(Encoding.UTF8.GetString(end < 0 ? patch : patch[..end]));
        var (named, ids) = (NameOf(facts["diff --git "]), facts.GetValueOrDefault("index ", "..").Split(' '));
        var before = facts.GetValueOrDefault("rename from ") ?? facts.GetValueOrDefault("copy from ") ?? SideOf(facts, "--- ") ?? SideOf(facts, "+++ ") ?? named;
        var after = facts.GetValueOrDefault("rename to ") ?? facts.GetValueOrDefault("copy to ") ?? SideOf(facts, "+++ ") ?? SideOf(facts, "--- ") ?? named;
        var status = facts.ContainsKey("new file mode ") ? DiffStatus.Added : facts.ContainsKey("deleted file mode ") ? DiffStatus.Deleted
            : facts.ContainsKey("rename to ") ? DiffStatus.Renamed : facts.ContainsKey("copy to ") ? DiffStatus.Copied : DiffStatus.Modified;
        var mode = ids.Length > 1 ? ids[1] : "";
        var isBinary = facts.ContainsKey("GIT binary patch") || facts.ContainsKey("Binary files ");
        return new(
            status, GitRepository.Unquote(before), GitRepository.Unquote(after),
            status == DiffStatus.Added ? NoMode : facts.GetValueOrDefault("old mode ") ?? facts.GetValueOrDefault("deleted file mode ") ?? mode,
            status == DiffStatus.Deleted ? NoMode : facts.GetValueOrDefault("new mode ") ?? facts.GetValueOrDefault("new file mode ") ?? mode,
            ids[0].Split("..")[0], ids[0].Split("..")[^1], Count(DiffLineKind.Added), Count(DiffLineKind.Removed));

        int? Count(DiffLineKind kind) => isBinary ? null : hunks.Sum(h => h.Lines.Count(l => l.Kind == kind));
    }

    /// <summary>The lines before the first hunk, by what they begin with.</summary>
    private static Dictionary<string, string> FactsOf(string head)
    {
        var facts = new Dictionary<string, string>(StringComparer.Ordinal) { ["diff --git "] = "" };
        foreach (var line in head.Split('\n'))
        {
            if (Array.Find(Facts, f => line.StartsWith(f, StringComparison.Ordinal)) is not { } fact) continue;
            facts[fact] = line[fact.Length..];
            // What follows are bytes in letters.
            if (fact == "GIT binary patch") break;
        }

        return facts;
    }

    /// <summary>The path of one side; null where the file is not there. A name with a space ends with a tab.</summary>
    private static string? SideOf(Dictionary<string, string> facts, string side) =>
        facts.GetValueOrDefault(side)?.TrimEnd('\t') is { } path && path != NoFile ? WithoutSide(path) : null;

    /// <summary>Of <c>a/name b/name</c> the name; both are the same where nothing else tells them.</summary>
    private static string NameOf(string both) => WithoutSide(both[..(both.Length / 2)]);

    private static string WithoutSide(string path) => path switch
    {
        ['"', 'a' or 'b', '/', .. var quoted] => "\"" + quoted,
        ['a' or 'b', '/', .. var name] => name,
        _ => path,
    };
}

/// <summary>A file of a patch.</summary>
/// <param name="Hunks">Empty where no line differs; null where there are more lines than were asked for.</param>
public sealed record GitPatchFile(DiffFile File, IReadOnlyList<DiffHunk>? Hunks);
