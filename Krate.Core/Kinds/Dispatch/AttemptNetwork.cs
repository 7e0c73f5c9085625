using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Krate.Core.Agents;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Core.Sessions;

namespace Krate.Core.Kinds.Dispatch;

/// <summary>Answers one agent that asks for connections, once for each host and port; the transcript shows what was asked and what came of it. Thread-safe.</summary>
internal sealed class AttemptNetwork(AttemptRules rules, RunApprovals approvals, AttemptSignals signals, SessionRecorder recorder)
{
    private const int MostHosts = 200;
    private static readonly EgressVerdict TooMany = new(false, $"It has asked for more than {MostHosts} hosts.");
    private readonly ConcurrentDictionary<EgressRequest, Lazy<Task<EgressVerdict>>> decided = new();

    /// <param name="life">Of the attempt: what one connection waits for, others may wait for, too.</param>
    public Task<EgressVerdict> DecideAsync(EgressRequest asked, CancellationToken life, CancellationToken ct) =>
        decided.Count >= MostHosts && !decided.ContainsKey(asked) ? Task.FromResult(TooMany) : decided.GetOrAdd(asked, a => new(() => JudgeAsync(a, life))).Value.WaitAsync(ct);

    private async Task<EgressVerdict> JudgeAsync(EgressRequest asked, CancellationToken ct)
    {
        var ruling = NetworkRules.Of(rules.Profile, rules.ApprovalMode, rules.IsUntrusted, asked);
        var verdict = ruling.Verdict == ToolVerdict.Ask ? await AskAsync(asked, ruling.Reason, ct) : new EgressVerdict(ruling.Verdict == ToolVerdict.Allow, ruling.Reason);
        await recorder.WriteAsync(new(AgentEventTypes.Network, new() { ["host"] = asked.Host, ["port"] = asked.Port, ["outcome"] = verdict.IsAllowed ? "allowed" : "rejected", ["reason"] = verdict.Reason }), ct);
        return verdict;
    }

    private async Task<EgressVerdict> AskAsync(EgressRequest asked, string reason, CancellationToken ct)
    {
        try
        {
            var question = new ApprovalQuestion("network", $"Connect to {asked.Host}, port {asked.Port}", new() { ["host"] = asked.Host, ["port"] = asked.Port }, reason);
            var decided = await approvals.AskAsync(question, signals, ct);
            return decided.Body.Text("status.phase") == "approved" ? new(true, $"Approved by {decided.Body.Text("status.decidedBy")}.") : new(false, $"{reason} Nobody approved it.");
        }
        catch (ApiException e)
        {
            return new(false, $"Nobody could be asked: {e.Message}");
        }
    }
}
