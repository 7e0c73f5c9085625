using System.Text.Json.Nodes;
using Krate.Core.Agents;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Core.Sessions;
using Krate.Core.Workspaces;

namespace Krate.Core.Kinds.Dispatch;

/// <summary>
/// A conversation, turn by turn: keeps what the agent says, answers what it asks by policy or lets a person answer, goes on with what people say, and watches
/// time, silence and cost. Used once.
/// </summary>
internal sealed class AttemptTalk(IAgentSession session, SessionRecorder recorder, AttemptRules rules, RunApprovals approvals, RunMessages messages, AttemptSignals signals, TimeProvider time) : IDisposable
{
    private const string EndTurn = "end_turn";
    private static readonly TimeSpan StopsWithin = TimeSpan.FromSeconds(10), LookEvery = TimeSpan.FromSeconds(3);
    private readonly CancellationTokenSource tooExpensive = new();
    private TaskCompletionSource heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<Task> questions = [];
    private long lastWord = time.GetTimestamp();

    /// <summary>Tokens and money so far, as the agent says.</summary>
    public JsonObject Cost { get; } = [];

    /// <param name="ct">The process, or its turn, ends.</param>
    /// <exception cref="AgentEndedException">The agent ended, or failed.</exception>
    /// <exception cref="IOException">What it said could not be kept.</exception>
    public async Task<AttemptEnd> RunAsync(IReadOnlyList<string> blocks, CancellationToken ct)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var listening = ListenAsync(stop.Token);
        try
        {
            for (var prompt = blocks; ;)
            {
                var (end, stopReason) = await TurnAsync(prompt, listening, stop.Token, ct);
                if (end is not null) return end;
                if (stopReason != EndTurn || await messages.NextAsync(ct) is not { } message) return Of(stopReason);
                prompt = await HearAsync(message, ct);
            }
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(questions).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>What a person said, as the agent is told it; the transcript shows who did.</summary>
    public async Task<IReadOnlyList<string>> HearAsync(JsonNode message, CancellationToken ct)
    {
        var text = message.Text("text") ?? "";
        await recorder.WriteAsync(new(AgentEventTypes.Message, new() { ["role"] = "user", ["by"] = message.Text("by"), ["text"] = text }), ct);
        return [text];
    }

    /// <returns>Why the attempt ends in the middle of the turn; or how the turn ended by itself.</returns>
    private async Task<(AttemptEnd? End, string StopReason)> TurnAsync(IReadOnlyList<string> prompt, Task listening, CancellationToken stop, CancellationToken ct)
    {
        heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var turn = session.PromptAsync(prompt, stop);
        if (await FirstAsync(turn, listening, stop) is { } end)
        {
            await StopAsync(turn, ct);
            return (end, "");
        }

        var stopReason = await turn;
        // The turn is over when all that was said in it is kept.
        await Task.WhenAny(heard.Task, listening);
        return (null, stopReason);
    }

    public void Dispose() => tooExpensive.Dispose();

    /// <returns>Null when the turn ended by itself.</returns>
    private async Task<AttemptEnd?> FirstAsync(Task<string> turn, Task listening, CancellationToken ct)
    {
        var limit = Task.Delay(rules.LongestRun, time, ct);
        var broke = Task.Delay(Timeout.Infinite, tooExpensive.Token);
        while (true)
        {
            var tick = Task.Delay(LookEvery, time, ct);
            var first = await Task.WhenAny(turn, signals.Cancelled, limit, broke, listening, tick);
            ct.ThrowIfCancellationRequested();
            if (first == turn) return null;
            if (first == signals.Cancelled) return new(RunPhase.Cancelled, "Cancelled", "Somebody ended it.");
            if (first == limit) return AttemptEnd.Failed("Timeout", $"It took longer than {DurationText.Format(rules.LongestRun)}.");
            if (first == broke) return AttemptEnd.Failed("BudgetExceeded", $"It cost more than {rules.MostUsd} US dollars.");
            if (first == listening)
            {
                // What cannot be kept must not go on; an agent that is gone says so by its turn.
                await listening;
                await ((Task)turn).WaitAsync(StopsWithin, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return turn.IsCompleted ? null : AttemptEnd.Failed("AgentError", "The agent closed its output, and did not end.");
            }

            if (FolderUse.Excess(rules.Folders, rules.MostBytes) is { } excess) return AttemptEnd.Failed("WorkspaceFailed", excess);
            if (!approvals.IsAsking && time.GetElapsedTime(Volatile.Read(ref lastWord)) > rules.LongestSilence) return AttemptEnd.Failed("Timeout", $"The agent said nothing for {DurationText.Format(rules.LongestSilence)}.");
        }
    }

    private static AttemptEnd Of(string stopReason) => stopReason switch
    {
        EndTurn => new(RunPhase.Succeeded, "Completed", "The agent has finished."),
        "cancelled" => new(RunPhase.Cancelled, "Cancelled", "The agent gave up its turn."),
        "refusal" => AttemptEnd.Failed("AgentError", "The agent refused to go on."),
        _ => AttemptEnd.Failed("AgentError", $"The agent stopped before it had finished ({stopReason})."),
    };

    private async Task StopAsync(Task<string> turn, CancellationToken ct)
    {
        // One that reads nothing is not waited for either.
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(StopsWithin);
        await session.CancelAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await ((Task)turn).WaitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task ListenAsync(CancellationToken ct)
    {
        await foreach (var said in session.Events.WithCancellation(ct))
        {
            Volatile.Write(ref lastWord, time.GetTimestamp());
            await recorder.WriteAsync(said, ct);
            if (said.Type == AgentEventTypes.Cost) Count(said.Data);
            if (said.Type == AgentEventTypes.TurnEnded) heard.TrySetResult();
            if (said.Type == AgentEventTypes.PermissionRequest) questions.Add(AnswerAsync(said.Data, ct));
        }
    }

    private void Count(JsonObject cost)
    {
        foreach (var (name, value) in cost)
            if (name is not ("used" or "size")) Cost[name] = value?.DeepClone();
        if (rules.MostUsd is { } most && cost.At("usd") is JsonValue usd && usd.TryGetValue<decimal>(out var spent) && spent > most) tooExpensive.Cancel();
    }

    private async Task AnswerAsync(JsonObject question, CancellationToken ct)
    {
        var id = question.Text("requestId")!;
        var ruling = ToolPolicy.Of(rules.Profile, rules.ApprovalMode, question);
        var (outcome, by, reason) = ruling.Verdict switch
        {
            ToolVerdict.Allow => (PermissionOutcome.Allowed, "policy", ruling.Reason),
            ToolVerdict.Deny => (PermissionOutcome.Rejected, "policy", ruling.Reason),
            _ => await AskAsync(question, ruling, ct),
        };
        await recorder.WriteAsync(new(AgentEventTypes.PermissionDecision, new() { ["requestId"] = id, ["outcome"] = outcome.ToString().ToLowerInvariant(), ["by"] = by, ["reason"] = reason }), ct);
        await session.DecideAsync(id, outcome, ct);
    }

    private async Task<(PermissionOutcome, string, string)> AskAsync(JsonObject question, ToolRuling ruling, CancellationToken ct)
    {
        try
        {
            var decided = await approvals.AskAsync(new("tool-use", question.Text("title") ?? question.Text("kind") ?? "a step", question, ruling.Reason), signals, ct);
            Volatile.Write(ref lastWord, time.GetTimestamp());
            return decided.Body.Text("status.phase") == "approved"
                ? (PermissionOutcome.Allowed, decided.Body.Text("status.decidedBy") ?? "", decided.Body.Text("status.comment") ?? "")
                : (PermissionOutcome.Rejected, decided.Body.Text("status.decidedBy") ?? "nobody", decided.Body.Text("status.comment") ?? (decided.Body.Text("status.phase") == "expired" ? "Nobody decided in time." : ""));
        }
        catch (ApiException e)
        {
            return (PermissionOutcome.Rejected, "policy", $"Nobody could be asked: {e.Message}");
        }
    }
}

/// <summary>What holds for one attempt.</summary>
internal sealed record AttemptRules(Resource? Profile, string? ApprovalMode, TimeSpan LongestRun, TimeSpan LongestSilence, decimal? MostUsd, bool IsUntrusted)
{
    /// <summary>Where it may write.</summary>
    public IReadOnlyList<string> Folders { get; init; } = [];

    /// <summary>Bytes that it may write there.</summary>
    public long MostBytes { get; init; }
}
