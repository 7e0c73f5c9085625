using System.Text.Json.Nodes;
using Krate.Core.Agents;
using Krate.Core.Context;
using Krate.Core.Gateway;
using Krate.Core.Kinds.Runs;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Dispatch;

/// <summary>What an agent wants to do, and why a person decides.</summary>
/// <param name="Type">Type of the action (AgentApproval).</param>
/// <param name="Summary">In one line; it may hold the agent's words.</param>
/// <param name="Payload">All that it would do: the approval is for this only.</param>
internal sealed record ApprovalQuestion(string Type, string Summary, JsonObject Payload, string Reason);

/// <summary>Asks people on behalf of one run, by AgentApprovals, and waits for what they decide. Thread-safe.</summary>
internal sealed class RunApprovals(DispatchWriter writer, KindCatalog catalog, Resource run, Resource attempt, Actor krate, Func<CancellationToken, Task<Redactor>> redactor, TimeProvider time)
{
    public static readonly TimeSpan Expiry = TimeSpan.FromHours(24);
    private const int LongestSummary = 900;
    private int open;

    /// <summary>Somebody is asked now.</summary>
    public bool IsAsking => Volatile.Read(ref open) > 0;

    /// <returns>The approval as it was decided.</returns>
    public async Task<Resource> AskAsync(ApprovalQuestion question, AttemptSignals signals, CancellationToken ct)
    {
        var clean = await redactor(ct);
        var approval = await writer.Gateway.CreateAsync(krate, catalog["AgentApproval"], run.Namespace, new JsonObject
        {
            ["metadata"] = new JsonObject { ["ownerReferences"] = new JsonArray(OwnerReference.To(run)) },
            ["spec"] = new JsonObject
            {
                ["dispatchRun"] = run.Name, ["attempt"] = attempt.Name, ["requestedBy"] = $"agent of {run.Body.Text("spec.agentStack")}",
                ["action"] = new JsonObject { ["type"] = question.Type, ["summary"] = ForeignText.Line(clean.Redact(question.Summary).Text, LongestSummary), ["payloadDigest"] = CanonicalJson.Digest(question.Payload) },
                ["policyReasons"] = new JsonArray(question.Reason), ["expiresAt"] = Timestamps.Format(time.GetUtcNow() + Expiry),
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
