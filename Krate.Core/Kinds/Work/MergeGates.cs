using System.Globalization;
using Krate.Core.Gateway;
using Krate.Core.Repositories;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Work;

public enum GateState
{
    Met,

    /// <summary>Nothing to be done but wait: it is being worked out, or runs.</summary>
    Waiting,

    /// <summary>Somebody has to do something.</summary>
    Missing,
}

/// <summary>One thing that a merge needs.</summary>
/// <param name="Name">Stable: draft, conflicts, approvals, changes, or check and its name.</param>
/// <param name="Text">For people: what must be.</param>
/// <param name="Detail">How it stands ("0 of 1").</param>
public sealed record MergeGate(string Name, GateState State, string Text, string Detail);

/// <summary>What a branch's protections ask of pull requests into it, all of them together.</summary>
public sealed record MergeDemands(int Approvals, IReadOnlyList<string> Checks)
{
    public static MergeDemands Of(IResourceCache cache, KindCatalog catalog, string ns, string repository, string targetRef)
    {
        var applying = cache.List(catalog["BranchProtection"], ns)
            .Where(p => !p.IsDeleting && (p.Body.Text("spec.repository") is not { Length: > 0 } own || own == repository) && p.Body.Texts("spec.refs").Any(r => RefGlob.Matches(r, targetRef))).ToList();
        return new(
            applying.Select(p => (int)(p.Body.Whole("spec.requiredApprovals") ?? 0)).DefaultIfEmpty().Max(),
            [.. applying.SelectMany(p => p.Body.Texts("spec.requiredChecks")).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)]);
    }
}

/// <summary>What keeps a pull request from being merged. The page shows what the merge itself asks. Pure.</summary>
public static class MergeGates
{
    public static IReadOnlyList<MergeGate> Of(Resource pull, IReadOnlyList<ReviewVerdict> verdicts, MergeDemands demands) =>
        [.. Draft(pull), Conflicts(pull), .. Approvals(verdicts, demands.Approvals), .. Changes(verdicts), .. demands.Checks.Select(c => Check(pull, c))];

    private static IEnumerable<MergeGate> Draft(Resource pull)
    {
        if (pull.Body.Flag("spec.draft")) yield return new("draft", GateState.Missing, "It is still a draft", "Draft");
    }

    private static MergeGate Conflicts(Resource pull)
    {
        var target = BranchNames.Of(pull.Body.Text("spec.targetRef") ?? "");
        return (pull.Body.At("status.mergeable") as System.Text.Json.Nodes.JsonValue)?.TryGetValue<bool>(out var clean) != true
            ? new("conflicts", GateState.Waiting, $"Conflicts with {target} are looked for", "Checking")
            : clean ? new("conflicts", GateState.Met, $"No conflicts with {target}", "Clean") : new("conflicts", GateState.Missing, $"It conflicts with {target}", "Conflicts");
    }

    private static IEnumerable<MergeGate> Approvals(IReadOnlyList<ReviewVerdict> verdicts, int needed)
    {
        if (needed == 0) yield break;
        var (have, stale) = (verdicts.Count(v => v.Counts), verdicts.Count(v => v is { Approves: true, IsStale: true }));
        var missing = needed - have;
        var detail = string.Create(CultureInfo.InvariantCulture, $"{have} of {needed}{(stale > 0 ? $", {stale} of an older head" : "")}");
        yield return missing <= 0
            ? new("approvals", GateState.Met, needed == 1 ? "Approved" : $"{needed} approvals", detail)
            : new("approvals", GateState.Missing, missing == 1 ? "1 more approval of this head, not by its author" : $"{missing} more approvals of this head, not by its author", detail);
    }

    private static IEnumerable<MergeGate> Changes(IReadOnlyList<ReviewVerdict> verdicts)
    {
        if (verdicts.Where(v => !v.Approves).Select(v => v.Author).ToList() is { Count: > 0 } who)
            yield return new("changes", GateState.Missing, $"{string.Join(", ", who)} asked for changes", "Requested");
    }

    private static MergeGate Check(Resource pull, string name)
    {
        var phase = (pull.Body.At("status.checks") as System.Text.Json.Nodes.JsonArray ?? []).LastOrDefault(c => c.Text("name") == name).Text("phase");
        var state = phase?.ToUpperInvariant() switch { "SUCCEEDED" => GateState.Met, null or "FAILED" or "CANCELLED" or "DENIED" or "EXPIRED" => GateState.Missing, _ => GateState.Waiting };
        return new("check " + name, state, state == GateState.Met ? $"Check {name} passed" : $"Check {name} must pass", phase ?? "Not reported");
    }
}

/// <summary>Refs as people write them.</summary>
public static class BranchNames
{
    /// <summary>A branch where nothing else is said.</summary>
    public static string Full(string name) => name.StartsWith("refs/", StringComparison.Ordinal) ? name : RefUpdate.Heads + name;

    public static string Of(string name) => name.StartsWith(RefUpdate.Heads, StringComparison.Ordinal) ? name[RefUpdate.Heads.Length..] : name;
}
