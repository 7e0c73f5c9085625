using System.Globalization;
using Krate.Core.Git;

namespace Krate.Core.Repositories;

/// <summary>How a ref is about to be changed.</summary>
public enum RefChangeSource
{
    /// <summary>Somebody pushes to the ref.</summary>
    Push,

    /// <summary>Krate merges a pull request whose own gates are met.</summary>
    PullRequest,
}

/// <summary>What a rule has against an update.</summary>
/// <param name="IsEnforced">False: recorded, and let through.</param>
public sealed record Violation(string Rule, string Ref, string Message, bool IsEnforced);

/// <summary>What a rule needs to know about an update. Nothing is asked that no rule needs.</summary>
public interface IRefFacts
{
    /// <summary>The old commit is not an ancestor of the new one.</summary>
    Task<bool> IsForcedAsync(RefUpdate update, CancellationToken ct);

    /// <summary>A merge commit that the update brings to the ref; null when there is none.</summary>
    Task<string?> FindMergeAsync(RefUpdate update, CancellationToken ct);

    /// <summary>A new commit without a signature.</summary>
    Task<string?> FindUnsignedAsync(RefUpdate update, CancellationToken ct);

    /// <summary>A new file that is larger than this many bytes, as people may find it.</summary>
    Task<string?> FindLargeFileAsync(RefUpdate update, long maxBytes, CancellationToken ct);
}

/// <summary>
/// Whether a ref may change: the one function for pushes, merges, suggested edits and write-back (spec 04). Pure on the facts.
/// </summary>
public static class PushPolicy
{
    /// <param name="rules">Of the repository, whether they apply to the refs or not.</param>
    /// <param name="defaultBranch">Branch that may not be deleted, whatever the rules say.</param>
    public static async Task<IReadOnlyList<Violation>> JudgeAsync(
        IReadOnlyList<RefRule> rules, IReadOnlyList<RefUpdate> updates, RefChangeSource source, string defaultBranch, IRefFacts facts, CancellationToken ct)
    {
        var violations = new List<Violation>();
        foreach (var update in updates)
        {
            if (OwnRule(update, defaultBranch) is { } refused) violations.Add(new("Krate", update.Ref, refused, true));
            foreach (var rule in rules.Where(r => r.AppliesTo(update.Ref)))
                await foreach (var message in JudgeAsync(rule, update, source, facts, ct)) violations.Add(new(rule.Name, update.Ref, message, rule.IsEnforced));
        }

        return violations;
    }

    private static string? OwnRule(RefUpdate update, string defaultBranch)
    {
        if (update.IsDelete) return update.Branch == defaultBranch ? "the default branch cannot be deleted; make another branch the default first" : null;
        if (!update.IsCreate) return null;
        if (update.Ref.StartsWith("refs/tags/-", StringComparison.Ordinal)) return "a tag name may not begin with a dash";
        if (update.Branch is { } branch && (branch.StartsWith('-') || branch == "HEAD")) return "a branch name may not begin with a dash or be HEAD";
        return update.Ref.StartsWith("refs/pull/", StringComparison.Ordinal) || update.Ref.StartsWith("refs/krate/", StringComparison.Ordinal) ? "refs of this kind are kept by Krate" : null;
    }

    private static async IAsyncEnumerable<string> JudgeAsync(
        RefRule rule, RefUpdate update, RefChangeSource source, IRefFacts facts, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        if (update.IsDelete)
        {
            if (rule.DeniesDeletion) yield return "the ref may not be deleted";
            yield break;
        }

        if (rule.NeedsPullRequest && source == RefChangeSource.Push) yield return "changes come in by a pull request; push to another branch and open one";
        if (rule.DeniesForcePush && !update.IsCreate && await facts.IsForcedAsync(update, ct)) yield return "history may not be rewritten (force-push); pull first, or revert in a new commit";
        if (rule.NeedsLinearHistory && await facts.FindMergeAsync(update, ct) is { } merge) yield return $"history must stay linear, and {Short(merge)} is a merge commit; rebase instead";
        if (rule.NeedsSignatures && await facts.FindUnsignedAsync(update, ct) is { } unsigned) yield return $"commits must be signed, and {Short(unsigned)} is not";
        if (rule.MaxFileBytes is { } max && await facts.FindLargeFileAsync(update, max, ct) is { } file) yield return string.Create(CultureInfo.InvariantCulture, $"{file} is larger than {max} bytes");
    }

    private static string Short(string id) => id[..Math.Min(12, id.Length)];
}

/// <summary>Facts about objects that may still be in a push's quarantine.</summary>
/// <param name="environment">git's quarantine variables; empty when the objects are in the repository.</param>
internal sealed class GitRefFacts(GitRepository git, IReadOnlyDictionary<string, string> environment) : IRefFacts
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    /// <summary>Of objects that are in the repository.</summary>
    public static GitRefFacts Of(GitRepository git) => new(git, new Dictionary<string, string>());

    public async Task<bool> IsForcedAsync(RefUpdate update, CancellationToken ct)
    {
        var output = await git.RunAsync(["merge-base", "--is-ancestor", update.Old, update.New], ct, limit: Limit, environment: environment);
        // 128 also for a tag of something that is no commit: moving such a ref is never a fast-forward.
        return output.ExitCode != 0;
    }

    public Task<string?> FindMergeAsync(RefUpdate update, CancellationToken ct) => FirstLineAsync(["rev-list", "--min-parents=2", .. Range(update)], _ => true, ct);

    public async Task<string?> FindUnsignedAsync(RefUpdate update, CancellationToken ct)
    {
        // The header of the signature is all that is asked for: whose key it was is not known here.
        string? commit = null;
        var inHeader = false;
        await foreach (var line in git.LinesAsync(["rev-list", "--header", .. Range(update)], environment, ct))
        {
            // Commits are set apart by a zero byte; the first line of each is its id.
            var start = line.LastIndexOf('\0');
            if (commit is null || start >= 0)
            {
                var id = line[(start + 1)..];
                if (id.Length == 0) break;
                (commit, inHeader) = (id, true);
            }
            else if (inHeader && line.StartsWith("gpgsig", StringComparison.Ordinal))
            {
                inHeader = false;
            }
            else if (inHeader && line.Length == 0)
            {
                return commit;
            }
        }

        return null;
    }

    public async Task<string?> FindLargeFileAsync(RefUpdate update, long maxBytes, CancellationToken ct)
    {
        // git itself leaves out blobs of the limit and above, and names them.
        var limit = (maxBytes + 1).ToString(CultureInfo.InvariantCulture);
        // What the ref gets, wherever else in the repository it is already: another ref may have let it in.
        string[] objects = ["rev-list", "--objects", .. Range(update)];
        var omitted = await FirstLineAsync([.. objects[..2], $"--filter=blob:limit={limit}", "--filter-print-omitted", .. objects[2..]], l => l.StartsWith('~'), ct);
        if (omitted is null) return null;
        var named = await FirstLineAsync(objects, l => l.StartsWith(omitted[1..], StringComparison.Ordinal), ct);
        return named?.Split(' ', 2) is [_, { Length: > 0 } path] ? path : $"file {omitted[1..13]}";
    }

    private static string[] Range(RefUpdate update) => update.IsCreate ? [update.New, "--not", "--all"] : [update.New, "^" + update.Old];

    private async Task<string?> FirstLineAsync(string[] arguments, Func<string, bool> wanted, CancellationToken ct)
    {
        await foreach (var line in git.LinesAsync(arguments, environment, ct))
            if (wanted(line)) return line;
        return null;
    }
}
