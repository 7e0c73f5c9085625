using System.Text.Json.Nodes;
using Krate.Core.Agents;
using Krate.Core.Gateway;
using Krate.Core.Kinds.Review;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Dispatch;

/// <summary>
/// What a person must approve before an agent starts: the Secrets that its review admits with an approval only (spec 05, 06). One question for an attempt,
/// before it waits for a place. Stateless and thread-safe.
/// </summary>
internal sealed class LaunchApprovals(DispatchWriter writer, KindCatalog catalog, IResourceCache cache, PermissionReviews reviews, TimeProvider time)
{
    /// <summary>Whether the review that admitted the attempt asks for a person first.</summary>
    public static bool IsNeeded(Resource attempt) => attempt.Body.Text("status.permissionSnapshot.decision") == "requires-approval";

    /// <summary>The question of an attempt; null while nobody was asked.</summary>
    public async Task<Resource?> FindAsync(Actor krate, Resource attempt, CancellationToken ct)
    {
        try
        {
            return await writer.Gateway.GetAsync(krate, catalog["AgentApproval"], attempt.Namespace, NameOf(attempt), ct);
        }
        catch (ApiException e) when (e.Code == 404)
        {
            return null;
        }
    }

    /// <summary>Asks, once: the name follows from the attempt.</summary>
    public async Task AskAsync(Actor krate, Resource run, Resource attempt, CancellationToken ct)
    {
        var wanted = WantedBy(run, attempt);
        var document = new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = NameOf(attempt), ["ownerReferences"] = new JsonArray(OwnerReference.To(run)) },
            ["spec"] = new JsonObject
            {
                ["dispatchRun"] = run.Name, ["attempt"] = attempt.Name, ["requestedBy"] = $"agent of {run.Body.Text("spec.agentStack")}",
                ["action"] = new JsonObject
                {
                    ["type"] = "secret-access", ["summary"] = ForeignText.Line($"Start with {string.Join(", ", wanted.Select(f => $"{(f.Need!.Key is { } key ? $"key {key} of " : "")}Secret {f.Need.Name}").Distinct())}", 900),
                    ["payloadDigest"] = attempt.Body.Text("status.permissionSnapshotDigest"),
                },
                ["policyReasons"] = new JsonArray([.. wanted.Select(f => f.Message).Distinct().Take(20).Select(m => (JsonNode)m)]), ["expiresAt"] = Timestamps.Format(time.GetUtcNow() + RunApprovals.Expiry),
            },
            ["status"] = new JsonObject { ["phase"] = "pending" },
        };
        try
        {
            await writer.Gateway.CreateAsync(krate, catalog["AgentApproval"], run.Namespace, document, new WriteOptions(), ct);
        }
        catch (ApiException e) when (e.Reason == "AlreadyExists")
        {
            // Asked before a restart.
        }
    }

    private List<Finding> WantedBy(Resource run, Resource attempt) =>
        cache.Get(catalog["AgentStack"], run.Namespace, run.Body.Text("spec.agentStack") ?? "") is { } stack
            ? [.. reviews.ForRun(stack, run, attempt).Findings.Where(f => f is { State: FindingState.RequiresApproval, Need: not null })] : [];

    private static string NameOf(Resource attempt) => $"approval-{attempt.Name}";
}
