using System.Text;

namespace Krate.Tests.Git;

/// <summary>
/// Two branches that grew apart in one of many ways, drawn from a seed: changed, renamed, moved and deleted files, modes, line ends,
/// binary files, files that became folders and the other way round, merges in both directions, the same change on both sides.
/// </summary>
internal sealed class RandomHistory
{
    private const string Attributes = ".gitattributes";
    private static readonly string[] Paths = ["a.txt", "b c.txt", "src/one.cs", "src/two.cs", "src/deep/three.cs", "doc/ünï.md", "doc/日本.md", "doc/tab\tquote\".md", "bad\u00ff.txt", "run.sh", "win.txt", "pic.bin"];
    private readonly Random random;
    private readonly StringBuilder script = new();
    private readonly int seed;
    private int lastMark;
    private int lastWord;
    private Side target;
    private Side source;

    public RandomHistory(int seed)
    {
        this.seed = seed;
        random = new Random(seed);
        var files = Paths.Where(_ => random.Next(2) > 0).ToDictionary(p => p, NewFile, StringComparer.Ordinal);
        if (random.Next(2) == 0) files[Attributes] = NewAttributes();
        target = Commit([], files, "Begin");
        source = random.Next(12) == 0 ? Commit([], files.Where(_ => random.Next(2) == 0).ToDictionary(), "Begin elsewhere") : target;
        for (var steps = 4 + random.Next(6); steps > 0; steps--) Step();
        script.Append($"reset refs/heads/{seed}/target\nfrom :{target.Mark}\n\nreset refs/heads/{seed}/source\nfrom :{source.Mark}\n\n");
    }

    /// <summary>Input for fast-import: branches <c>SEED/target</c> and <c>SEED/source</c>.</summary>
    public string Script => script.ToString();

    private void Step()
    {
        var onTarget = random.Next(5) < 2;
        var (ours, theirs) = onTarget ? (target, source) : (source, target);
        switch (random.Next(20))
        {
            case 0 or 1:
                ours = Commit([ours, theirs], Joined(ours.Files, theirs.Files), "Merge");
                break;
            case 2:
                // Both ways: what was between the two has two ends.
                (ours, theirs) = (Commit([ours, theirs], Joined(ours.Files, theirs.Files), "Merge"), Commit([theirs, ours], Joined(theirs.Files, ours.Files), "Merge back"));
                break;
            case 3:
                ours = Commit([ours], ours.Files, "Nothing");
                break;
            case 4 or 5 or 6 when ours.Files.Keys.Where(k => theirs.Files.GetValueOrDefault(k) == ours.Files[k]).Order(StringComparer.Ordinal).FirstOrDefault() is { } same:
                // The same change on both sides; on one of them perhaps along with another.
                var file = Edited(ours.Files[same]);
                ours = Commit([ours], new(ours.Files) { [same] = file }, "Both");
                var more = new Dictionary<string, File>(theirs.Files) { [same] = file };
                if (random.Next(2) == 0) Change(more);
                theirs = Commit([theirs], more, "Both, too");
                break;
            default:
                var files = new Dictionary<string, File>(ours.Files);
                for (var n = 1 + random.Next(2); n > 0; n--) Change(files);
                ours = Commit([ours], files, random.Next(8) == 0 ? "" : $"Change {lastWord}");
                break;
        }

        (target, source) = onTarget ? (ours, theirs) : (theirs, ours);
    }

    private void Change(Dictionary<string, File> files)
    {
        var path = files.Count == 0 ? "a.txt" : files.Keys.Order(StringComparer.Ordinal).ElementAt(random.Next(files.Count));
        if (!files.TryGetValue(path, out var file)) file = NewFile(path);
        switch (random.Next(16))
        {
            case 0:
                Move(files, path, $"moved/{Word()}.txt", file);
                break;
            case 1:
                Move(files, path, $"{path}-{Word()}", Edited(file));
                break;
            case 2 when path.Contains('/', StringComparison.Ordinal):
                var (folder, other) = (path[..(path.IndexOf('/', StringComparison.Ordinal) + 1)], Word() + "/");
                foreach (var (from, moved) in files.Where(f => f.Key.StartsWith(folder, StringComparison.Ordinal)).ToList()) Move(files, from, other + from[folder.Length..], moved);
                break;
            case 3:
                files[path] = file with { Mode = file.Mode == "100755" ? "100644" : "100755" };
                break;
            case 4:
                files.Remove(path);
                break;
            case 5:
                // A folder where the file was.
                Move(files, path, path + "/inside.txt", file);
                break;
            case 6 when path.Contains('/', StringComparison.Ordinal):
                // A file where the folder was.
                var parent = path[..path.LastIndexOf('/')];
                foreach (var below in files.Keys.Where(k => k.StartsWith(parent + "/", StringComparison.Ordinal)).ToList()) files.Remove(below);
                files[parent] = file;
                break;
            case 7:
                files[path] = file with { Content = file.Content.Contains("\r\n", StringComparison.Ordinal) ? file.Content.Replace("\r\n", "\n", StringComparison.Ordinal) : file.Content.Replace("\n", "\r\n", StringComparison.Ordinal) };
                break;
            case 8:
                files[path] = new("120000", "a" + random.Next(3));
                break;
            case 9 when random.Next(2) == 0:
                Move(files, Attributes, Attributes, NewAttributes());
                break;
            case 10 or 11:
                Move(files, "", (random.Next(2) == 0 ? "src/" : "new/") + random.Next(6) + ".txt", NewFile("new"));
                break;
            default:
                files[path] = Edited(file);
                break;
        }
    }

    /// <summary>No file may be where a folder has to be.</summary>
    private static void Move(Dictionary<string, File> files, string from, string to, File file)
    {
        files.Remove(from);
        foreach (var inTheWay in files.Keys.Where(k => k.StartsWith(to + "/", StringComparison.Ordinal) || to.StartsWith(k + "/", StringComparison.Ordinal)).ToList()) files.Remove(inTheWay);
        files[to] = file;
    }

    /// <summary>As somebody might have resolved a merge.</summary>
    private Dictionary<string, File> Joined(Dictionary<string, File> ours, Dictionary<string, File> theirs)
    {
        var files = new Dictionary<string, File>(ours);
        foreach (var (path, file) in theirs.OrderBy(f => f.Key, StringComparer.Ordinal))
            if (!ours.ContainsKey(path) || random.Next(2) == 0) Move(files, path, path, file);
        return files;
    }

    private File NewFile(string path)
    {
        if (path.EndsWith(".bin", StringComparison.Ordinal)) return new("100644", $"\0\u0001 {path} \0" + Word());
        var end = path.StartsWith("win", StringComparison.Ordinal) ? "\r\n" : "\n";
        var lines = Enumerable.Range(0, 8 + random.Next(10)).Select(i => $"line {i} of {path} {random.Next(3)}");
        return new(path.EndsWith(".sh", StringComparison.Ordinal) ? "100755" : "100644", string.Join(end, lines) + (random.Next(6) == 0 ? "" : end));
    }

    private File NewAttributes()
    {
        string[] rules = ["*.txt merge=union", "*.md -merge", "src/** merge=binary", "a.txt merge=union", "*.cs merge=text"];
        return new("100644", rules[random.Next(rules.Length)] + "\n" + (random.Next(2) == 0 ? rules[random.Next(rules.Length)] + "\n" : ""));
    }

    private File Edited(File file)
    {
        if (file.Mode == "120000") return file with { Content = Word() };
        var lines = file.Content.Split('\n').ToList();
        var at = random.Next(lines.Count);
        // An end of line as the file has it.
        var text = Word() + (lines.Count > 1 && lines[0].EndsWith('\r') ? "\r" : "");
        if (random.Next(3) == 0) lines.Insert(at, text);
        else if (random.Next(4) == 0) lines.RemoveAt(at);
        else lines[at] = text;
        return file with { Content = string.Join('\n', lines) };
    }

    private string Word() => $"w{seed}x{++lastWord}";

    private Side Commit(Side[] parents, Dictionary<string, File> files, string message)
    {
        var mark = ++lastMark;
        // Without it the branch's last commit would be the parent.
        if (parents.Length == 0) script.Append($"reset refs/heads/{seed}/work\n\n");
        script.Append($"commit refs/heads/{seed}/work\nmark :{mark}\nauthor Ann Author <ann@krate.test> {1_700_000_000 + (mark * 60)} +0130\ncommitter T <t@t> {1_700_000_000 + (mark * 60)} +0000\n").Append(Data(message));
        if (parents.Length > 0) script.Append($"from :{parents[0].Mark}\n");
        foreach (var merged in parents.Skip(1)) script.Append($"merge :{merged.Mark}\n");
        script.Append("deleteall\n");
        foreach (var (path, file) in files) script.Append($"M {file.Mode} inline {Quoted(path)}\n").Append(Data(file.Content));
        script.Append('\n');
        return new(mark, files);
    }

    private static string Data(string text) => $"data {Encoding.UTF8.GetByteCount(text)}\n{text}\n";

    /// <summary>The letter U+00FF stands for a byte that is no UTF-8.</summary>
    private static string Quoted(string path) =>
        $"\"{path.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\t", "\\t", StringComparison.Ordinal).Replace("\u00ff", "\\377", StringComparison.Ordinal)}\"";

    private sealed record File(string Mode, string Content);

    private sealed record Side(int Mark, Dictionary<string, File> Files);
}
