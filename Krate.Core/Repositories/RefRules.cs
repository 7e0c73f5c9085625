using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Repositories;

/// <summary>A BranchProtection or RefPolicy as far as a change of a ref is concerned.</summary>
public sealed record RefRule
{
    /// <summary>As people name it: <c>BranchProtection main</c>.</summary>
    public required string Name { get; init; }

    public required IReadOnlyList<string> Refs { get; init; }

    /// <summary>False: what it would refuse is recorded and let through.</summary>
    public bool IsEnforced { get; init; } = true;

    public bool NeedsPullRequest { get; init; }

    public bool DeniesForcePush { get; init; }

    public bool DeniesDeletion { get; init; }

    public bool NeedsLinearHistory { get; init; }

    public bool NeedsSignatures { get; init; }

    /// <summary>Bytes; null: no limit.</summary>
    public long? MaxFileBytes { get; init; }

    public bool AppliesTo(string refName) => Refs.Any(p => RefGlob.Matches(p, refName));

    /// <summary>The rules of a repository: its own and those of the whole organization.</summary>
    public static IReadOnlyList<RefRule> Of(IResourceCache cache, KindCatalog catalog, string ns, string repository)
    {
        return [.. Applying("BranchProtection").Select(OfProtection), .. Applying("RefPolicy").Select(OfPolicy)];

        IEnumerable<Resource> Applying(string kind) => cache.List(catalog[kind], ns)
            .Where(r => !r.IsDeleting && (r.Body.Text("spec.repository") is not { Length: > 0 } own || own == repository))
            .OrderBy(r => r.Name, StringComparer.Ordinal);
    }

    private static RefRule OfProtection(Resource protection)
    {
        var spec = protection.Body;
        return new()
        {
            Name = $"BranchProtection {protection.Name}",
            Refs = [.. spec.Texts("spec.refs")],
            // Approvals and checks are of a pull request; a direct push has neither.
            NeedsPullRequest = spec.Flag("spec.requirePullRequest") || spec.Whole("spec.requiredApprovals") > 0 || spec.Texts("spec.requiredChecks").Any(),
            DeniesForcePush = !spec.Flag("spec.allowForcePush"),
            DeniesDeletion = !spec.Flag("spec.allowDeletion"),
        };
    }

    private static RefRule OfPolicy(Resource policy)
    {
        var spec = policy.Body;
        return new()
        {
            Name = $"RefPolicy {policy.Name}",
            Refs = [.. spec.Texts("spec.refs")],
            IsEnforced = spec.Text("spec.mode") != "audit",
            DeniesForcePush = spec.Flag("spec.denyForcePush"),
            DeniesDeletion = spec.Flag("spec.denyDeletion"),
            NeedsLinearHistory = spec.Flag("spec.requireLinearHistory"),
            NeedsSignatures = spec.Flag("spec.requireSignedCommits"),
            MaxFileBytes = spec.Whole("spec.maxFileBytes"),
        };
    }
}

/// <summary>Patterns of refs: <c>*</c> within one segment, <c>**</c> across segments; everything else is itself.</summary>
public static class RefGlob
{
    /// <summary>Linear in pattern and name for patterns without stars, and never worse than their product.</summary>
    public static bool Matches(string pattern, string name)
    {
        // Which positions of the name the pattern so far can have reached.
        var reached = new bool[name.Length + 1];
        reached[0] = true;
        for (var p = 0; p < pattern.Length; p++)
        {
            var across = pattern[p] == '*' && p + 1 < pattern.Length && pattern[p + 1] == '*';
            var next = new bool[name.Length + 1];
            for (var n = 0; n <= name.Length; n++)
            {
                if (pattern[p] == '*') next[n] = reached[n] || (n > 0 && next[n - 1] && (across || name[n - 1] != '/'));
                else next[n] = n > 0 && reached[n - 1] && name[n - 1] == pattern[p];
            }

            reached = next;
            if (across) p++;
        }

        return reached[name.Length];
    }
}
