using Krate.Core.Repositories;
using Krate.Core.Resources;
using Krate.Web.Components;

namespace Krate.Web.Features.Repositories;

/// <summary>A BranchProtection or RefPolicy in words.</summary>
public static class RefRuleWords
{
    /// <summary>What it asks for, shortest first words.</summary>
    public static IEnumerable<string> Of(Resource rule)
    {
        var body = rule.Body;
        if (rule.Kind.Kind == "BranchProtection")
        {
            if (body.Flag("spec.requirePullRequest")) yield return "Pull request required";
            if (body.Whole("spec.requiredApprovals") is { } approvals and > 0) yield return approvals == 1 ? "1 approval" : $"{approvals} approvals";
            if (body.Texts("spec.requiredChecks").ToList() is { Count: > 0 } checks) yield return "Checks: " + string.Join(", ", checks);
            yield return body.Flag("spec.allowForcePush") ? "Force-push allowed" : "No force-push";
            yield return body.Flag("spec.allowDeletion") ? "Deletion allowed" : "No deletion";
            yield break;
        }

        if (body.Flag("spec.denyForcePush")) yield return "No force-push";
        if (body.Flag("spec.denyDeletion")) yield return "No deletion";
        if (body.Flag("spec.requireLinearHistory")) yield return "No merge commits";
        if (body.Flag("spec.requireSignedCommits")) yield return "Signed commits only";
        if (body.Whole("spec.maxFileBytes") is { } bytes) yield return $"Files up to {Sizes.Text(bytes)}";
    }

    /// <summary>The refs there are that one of the patterns catches.</summary>
    public static IReadOnlyList<NamedRef> Caught(IEnumerable<string> patterns, IReadOnlyList<NamedRef> refs)
    {
        var list = patterns.ToList();
        return [.. refs.Where(r => list.Any(p => RefGlob.Matches(p, r.Full)))];
    }
}
