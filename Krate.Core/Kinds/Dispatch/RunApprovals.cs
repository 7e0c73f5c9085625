using System.Text.Json.Nodes;
using Krate.Core.Agents;
using Krate.Core.Context;
using Krate.Core.Gateway;
using Krate.Core.Kinds.Runs;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Dispatch;

/// <summary>Asks people on behalf of one run, by AgentApprovals, and waits for what they decide. Thread-safe.</summary>
internal sealed class RunApprovals(DispatchWriter writer, KindCatalog catalog, Resource run, Resource attempt, Actor krate, Func<CancellationToken, Task<Redactor>> redactor, TimeProvider time)
{
    private static readonly TimeSpan Expiry = TimeSpan.FromHours(24);
    private const int LongestSummary = 900;
    private int open;

    /// <returns>The approval as it was decided.</returns>
    public async Task<Resource> AskAsync(JsonObject toolCall, string reason, AttemptSignals signals, CancellationToken ct)
    {
        var clean = await redactor(ct);
        var title = ForeignText.Line(clean.Redact(toolCall.Text("title") ?? toolCall.Text("kind") ?? "a step").Text, LongestSummary);
        var approval = await writer.Gateway.CreateAsync(krate, catalog["AgentApproval"], run.Namespace, new JsonObject
        {
            ["metadata"] = new JsonObject { ["ownerReferences"] = new JsonArray(OwnerReference.To(run)) },
            ["spec"] = new JsonObject
            {
                ["dispatchRun"] = run.Name, ["attempt"] = attempt.Name, ["requestedBy"] = $"agent of {run.Body.Text("spec.agentStack")}",
                ["action"] = new JsonObject { ["type"] = "tool-use", ["summary"] = title, ["payloadDigest"] = CanonicalJson.Digest(toolCall) },
                ["policyReasons"] = new JsonArray(reason), ["expiresAt"] = Timestamps.Format(time.GetUtcNow() + Expiry),
            },
            ["status"] = new JsonObject { ["phase"] = "pending" },
        }, new WriteOptions(), ct);
        await WaitAsync(+1, approval.Name, ct);
        try
        {
            return await signals.DecisionAsync(approval.Name).WaitAsync(ct);
        }
        finally
        {
            await WaitAsync(-1, null, CancellationToken.None);
        }
    }

    /// <summary>The run waits while somebody is asked, and goes on when nobody is.</summary>
    private async Task WaitAsync(int more, string? asked, CancellationToken ct)
    {
        var left = Interlocked.Add(ref open, more);
        await writer.ChangeAsync(krate, run, now =>
        {
            if (RunPhase.IsTerminal(RunActions.PhaseOf(now))) return null;
            var status = new JsonObject { ["phase"] = left > 0 ? RunPhase.WaitingForApproval : RunPhase.Running };
            if (asked is not null) status["approvals"] = new JsonArray([.. now.Body.Texts("status.approvals").Append(asked).Select(a => (JsonNode)a)]);
            return status;
        }, ct);
    }
}
