using System.Text.Json.Nodes;
using Krate.Core.Context;
using Krate.Core.Gateway;
using Krate.Core.Kinds.Review;
using Krate.Core.Resources;
using Krate.Core.Store;

namespace Krate.Core.Kinds.Dispatch;

/// <summary>Kinds of workspaces (AgentWorkspacePolicy).</summary>
internal static class WorkspaceModes
{
    public const string Isolated = "isolated-worktree";
    public const string ReadOnly = "read-only";
    public const string None = "none";
}

/// <summary>The documents that a run begins with, and those of a further attempt. Names are given first, so that each can name the others.</summary>
internal sealed class DispatchRecords(KindCatalog catalog, DateTimeOffset now)
{
    public const string Initial = "initial";

    /// <param name="run">Is completed in place.</param>
    public IReadOnlyList<CreateWrite> For(JsonObject run, Resource stack, Admitted made)
    {
        var (bundle, attempt, workspace) = (CompanionDocument.NewName(catalog["AgentContextBundle"]), CompanionDocument.NewName(catalog["AgentDispatchAttempt"]), CompanionDocument.NewName(catalog["AgentWorkspace"]));
        var hasWorkspace = made.Draft.Place is not null && made.Mode != WorkspaceModes.None;
        var spec = run.Child("spec");
        spec["contextBundleRef"] = bundle;
        if (hasWorkspace) spec["workspaceRef"] = workspace;
        if (made.Draft.Place is { } place) (spec["ref"], spec["sha"]) = (place.Ref, place.Commit);
        if (spec["runnerPool"] is null && stack.Body.Text("spec.runnerPool") is { Length: > 0 } pool) spec["runnerPool"] = pool;
        var (status, digest) = (run.Child("status"), made.Snapshot.Text("digest"));
        (status["startedBy"], status["permissionSnapshotDigest"], status["attempts"]) = (made.Starter, digest, new JsonArray(attempt));
        status["breadcrumbs"] = new JsonArray([.. made.Draft.About.Select(a => (JsonNode)new JsonObject { ["kind"] = a.Kind, ["name"] = a.Name, ["title"] = a.Title })]);
        status["conditions"] = Condition.Merge([], Begun(made), 1, now);

        var owner = new Resource(catalog["AgentDispatchRun"], run);
        var writes = new List<CreateWrite>
        {
            Write("AgentContextBundle", bundle, owner, BundleSpec(owner, made.Bundle), []),
            Write("AgentDispatchAttempt", attempt, owner, AttemptSpec(owner, Initial, stack, made.Bundle.Digest, digest), AttemptStatus(made.Snapshot)),
        };
        if (hasWorkspace) writes.AddRange(Workspace(owner, workspace, stack, made));
        return writes;
    }

    /// <summary>What was found out before there is a run.</summary>
    /// <param name="Starter">Kubernetes user name.</param>
    public sealed record Admitted(string Starter, ContextBundle Bundle, ContextDraft Draft, PermissionReview Review, JsonObject Snapshot, string Mode);

    private static IEnumerable<Condition> Begun(Admitted made)
    {
        yield return new(AgentDispatchRunConditions.ContextAssembled, Condition.True, "Assembled", $"{made.Bundle.Sources.Count} sources and {made.Bundle.Layers.Count} layers, {made.Bundle.Bytes} bytes.");
        yield return made.Review.Decision == ReviewDecision.Allowed
            ? new(AgentDispatchRunConditions.PermissionsAdmitted, Condition.True, "Allowed", "The permission review admits it.")
            : new(AgentDispatchRunConditions.PermissionsAdmitted, Condition.True, "RequiresApproval", "The permission review admits it, once a person has approved what it names.");
    }

    public static JsonObject AttemptStatus(JsonObject snapshot) => new() { ["phase"] = RunPhase.Pending, ["permissionSnapshot"] = snapshot.DeepClone(), ["permissionSnapshotDigest"] = snapshot.Text("digest") };

    /// <summary>Of all that shapes what a stack's runs do; its limits only say when.</summary>
    public static string StackDigest(Resource stack)
    {
        var spec = stack.Body["spec"]!.AsObject().Copy();
        spec.Remove("limits");
        return CanonicalJson.Digest(spec);
    }

    /// <summary>What an attempt pins. A later one of the same run gets the same context.</summary>
    public static JsonObject AttemptSpec(Resource run, string reason, Resource stack, string? contextDigest, string? permissionDigest)
    {
        var spec = new JsonObject
        {
            ["agentDispatchRun"] = run.Name,
            ["attemptReason"] = reason,
            ["agentStackSnapshot"] = new JsonObject { ["name"] = stack.Name, ["generation"] = stack.Generation, ["digest"] = StackDigest(stack) },
            ["contextBundleDigest"] = contextDigest,
            ["permissionSnapshotDigest"] = permissionDigest,
        };
        foreach (var field in new[] { "workspaceRef", "runnerPool", "memorySnapshotRef" })
            if (run.Body.At("spec." + field) is { } value) spec[field] = value.DeepClone();
        return spec;
    }

    /// <summary>Follows from the run alone: what a workspace's resource says of its path may be anybody's.</summary>
    public static string WorkspacePathOf(Resource run, string workspace) => $"{run.Label(WellKnown.OrgLabel)}/{workspace}";

    public static string BranchOf(Resource run) => $"krate/agents/{run.Name}";

    private List<CreateWrite> Workspace(Resource run, string name, Resource stack, Admitted made)
    {
        var isUntrusted = made.Bundle.TrustTier == TrustTier.Untrusted || made.Review.Scope.IsUntrusted;
        var spec = new JsonObject
        {
            ["repository"] = run.Body.Text("spec.repository"), ["workspacePath"] = WorkspacePathOf(run, name), ["ownership"] = new JsonObject { ["kind"] = "dispatch-run", ["name"] = run.Name },
            ["branch"] = BranchOf(run), ["baseRef"] = made.Draft.Place!.Ref, ["trustTier"] = isUntrusted ? TrustTier.Untrusted : TrustTier.Trusted,
            ["serviceAccountRef"] = stack.Body.Text("spec.runtimeIdentity.serviceAccountRef"),
        };
        if (run.Body.Text("spec.runnerPool") is { } pool) spec["runnerPool"] = pool;
        var links = made.Draft.About.Where(a => a.Kind is "Issue" or "PullRequest").Select(a => Write(
            "WorkItemWorkspaceLink", $"{name}-{a.Kind.ToLowerInvariant()}", run,
            new() { ["workItemRef"] = new JsonObject { ["kind"] = a.Kind, ["name"] = a.Name }, ["workspace"] = name, ["relation"] = "works-on", ["branchName"] = spec.Text("branch") }, []));
        return [Write("AgentWorkspace", name, run, spec, new() { ["lifecycle"] = "Provisioning", ["runs"] = new JsonArray(run.Name) }), .. links];
    }

    private static JsonObject BundleSpec(Resource run, ContextBundle bundle)
    {
        var said = ContextBundles.ToJson(bundle);
        var spec = new JsonObject { ["dispatchRun"] = run.Name, ["promptDigest"] = ContentDigest.Of(ContextBundles.PromptOf(bundle)) };
        foreach (var field in new[] { "digest", "layers", "riskFindings", "redactions", "omissions" }) spec[field] = said[field]?.DeepClone();
        spec["sources"] = new JsonArray([.. said["sources"]!.AsArray().Select(s => (JsonNode)new JsonObject(s!.AsObject().Where(f => f.Key is not ("size" or "cut") && f.Value is not null).Select(f => KeyValuePair.Create(f.Key, f.Value?.DeepClone()))))]);
        return spec;
    }

    private CreateWrite Write(string kind, string name, Resource owner, JsonObject spec, JsonObject status) =>
        new(catalog[kind], owner.Namespace, name, CompanionDocument.Make(catalog[kind], name, owner, owner.Body.Text("spec.repository"), spec, status, now));
}
