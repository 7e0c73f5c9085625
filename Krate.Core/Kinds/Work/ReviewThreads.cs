using Krate.Core.Git;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Work;

/// <summary>A remark on lines of a file, with its answers in order of time.</summary>
public sealed record ReviewThread(Resource Root, IReadOnlyList<Resource> Answers)
{
    public string Path => Root.Body.Text("spec.path")!;

    /// <summary>On the old file instead of the new one.</summary>
    public bool IsLeft => Root.Body.Text("spec.side") == "left";

    public int Last => (int)(Root.Body.Whole("spec.line") ?? 1);

    public int First => (int)(Root.Body.Whole("spec.startLine") ?? Last);

    public bool IsResolved => Root.Body.Text("status.phase") == WorkPhases.Resolved;
}

/// <summary>Comments of a pull request as threads, and where these are now. Thread-safe.</summary>
public static class ReviewThreads
{
    /// <summary>Threads of more commits than this are told as outdated.</summary>
    private const int MaxCommits = 40;

    /// <summary>Threads in order of time. An answer to an answer belongs to the same thread.</summary>
    public static IReadOnlyList<ReviewThread> Of(IEnumerable<Resource> comments)
    {
        var all = comments.Where(c => !c.IsDeleting).OrderBy(c => c.CreatedAt).ThenBy(c => c.Name, StringComparer.Ordinal).ToList();
        var byName = all.ToDictionary(c => c.Name, StringComparer.Ordinal);
        var answers = all.Where(c => IsAnswer(c, byName)).ToLookup(c => RootOf(c, byName).Name, StringComparer.Ordinal);
        return [.. all.Where(c => !IsAnswer(c, byName) && IsOnLines(c)).Select(c => new ReviewThread(c, [.. answers[c.Name]]))];
    }

    /// <summary>What is said about the pull request as a whole.</summary>
    public static IEnumerable<Resource> Others(IEnumerable<Resource> comments, IReadOnlyList<ReviewThread> threads)
    {
        var inThreads = threads.SelectMany(t => t.Answers.Append(t.Root)).Select(c => c.Uid).ToHashSet(StringComparer.Ordinal);
        return comments.Where(c => !inThreads.Contains(c.Uid));
    }

    /// <summary>The lines of each thread, by the uid of its first comment, in the files that are compared now; null when they have changed since.</summary>
    /// <param name="basis">Commit on the left side.</param>
    /// <param name="head">Commit on the right side.</param>
    public static async Task<IReadOnlyDictionary<string, (int First, int Last)?>> PlaceAsync(GitRepository git, IReadOnlyList<ReviewThread> threads, string basis, string head, CancellationToken ct)
    {
        var places = new Dictionary<string, (int, int)?>(StringComparer.Ordinal);
        var groups = threads.GroupBy(t => (Of: t.Root.Body.Text("spec.commit"), t.IsLeft)).ToList();
        foreach (var (group, i) in groups.Select((g, i) => (g, i)))
        {
            var now = group.Key.IsLeft ? basis : head;
            var maps = i >= MaxCommits ? null : await git.LineMapsAsync(group.Key.Of ?? now, now, [.. group.Select(t => t.Path).Distinct()], ct);
            foreach (var thread in group) places[thread.Root.Uid] = maps?[thread.Path].Of(thread.First, thread.Last);
        }

        return places;
    }

    private static bool IsOnLines(Resource comment) => comment.Body.Text("spec.path") is { Length: > 0 } && comment.Body.Whole("spec.line") is not null;

    private static bool IsAnswer(Resource comment, Dictionary<string, Resource> byName) => RootOf(comment, byName) is var root && root != comment && IsOnLines(root);

    private static Resource RootOf(Resource comment, Dictionary<string, Resource> byName)
    {
        // Answers may be made by hand, and in a ring.
        for (var (at, steps) = (comment, 0); ; steps++)
        {
            if (steps > 100 || at.Body.Text("spec.inReplyTo") is not { Length: > 0 } before || !byName.TryGetValue(before, out var next)) return at;
            at = next;
        }
    }
}
