using System.Text.Json.Nodes;
using Krate.Core.Kinds.Dispatch;
using Krate.Core.Resources;
using Krate.Tests.Agents;
using Xunit;

namespace Krate.Tests.Dispatch;

/// <summary>More than one turn: while the agent works, after it has ended, and after it has failed.</summary>
[Collection(typeof(AgentCollection))]
public sealed class ConversationTests(AgentWorld agents)
{
    private readonly RunWorld runs = new(agents);

    [Fact]
    public async Task What_is_said_while_the_agent_works_is_its_next_turn_and_what_is_said_after_its_end_takes_the_session_up()
    {
        await runs.MakeAsync("talks", agents.Talking, "waits");
        var run = await runs.StartAsync("talks");
        var waiting = await runs.UntilAsync(run, r => r.Body.Text("status.phase") == RunPhase.WaitingForApproval);
        await runs.ActAsync(run, DispatchActions.Continue, Saying("Now the second thing."));
        var approval = (await agents.World.FindAsync("AgentApproval", RunWorld.Ns, waiting.Body.Texts("status.approvals").Single()))!;
        await runs.DecideAsync(approval, "approved");

        var ended = await runs.EndAsync(run);
        Assert.Equal("Completed", ended.Body.Text("status.terminalReason"));
        var words = await runs.WordsAsync(ended);
        Assert.Contains("[turn 1: ", words, StringComparison.Ordinal);
        Assert.Contains("[turn 2: Now the second thing. files:a.txt made-1 ]", words, StringComparison.Ordinal);
        Assert.Equal(["krate-admin"], (await runs.EventsAsync(ended)).Where(e => e.Data.Text("role") == "user").Select(e => e.Data.Text("by")).Distinct());

        await runs.ActAsync(run, DispatchActions.Continue, Saying("And a third."));
        var again = await runs.UntilAsync(run, r => RunPhase.IsTerminal(r.Body.Text("status.phase")) && r.Body.Texts("status.attempts").Count() == 2);
        Assert.Equal("Completed", again.Body.Text("status.terminalReason"));
        // What it had changed is there, and what it had said is not said twice.
        Assert.Equal("[turn 3: And a third. files:a.txt made-1 made-2 ]", await runs.WordsAsync(again));
        var attempt = (await agents.World.FindAsync("AgentDispatchAttempt", RunWorld.Ns, again.Body.Texts("status.attempts").Last()))!;
        Assert.Equal(("continue", ended.Body.Text("status.agentMuxSessionId")), (attempt.Body.Text("spec.attemptReason"), attempt.Body.Text("spec.resumesSession")));
        var patches = again.Body.Texts("status.artifacts").ToList();
        Assert.Equal(["made-1", "made-2", "made-3"], (await agents.World.FindAsync("AgentArtifact", RunWorld.Ns, patches[^1]))!.Body.Texts("spec.patch.files"));
    }

    [Fact]
    public async Task A_session_that_failed_is_resumed_and_one_that_cannot_be_is_refused_with_the_reason()
    {
        await runs.MakeAsync("falls", agents.Talking);
        var run = await runs.StartAsync("falls", s => s["task"] = "Please fail.");
        var failed = await runs.EndAsync(run);
        Assert.Equal("AgentError", failed.Body.Text("status.terminalReason"));
        Assert.Equal("Conflict", (await Assert.ThrowsAsync<ApiException>(() => runs.ActAsync(run, DispatchActions.Resume, new() { ["expectedGeneration"] = 7 }))).Reason);
        await runs.ActAsync(run, DispatchActions.Resume);
        var resumed = await runs.UntilAsync(run, r => RunPhase.IsTerminal(r.Body.Text("status.phase")) && r.Body.Texts("status.attempts").Count() == 2);
        Assert.Equal("Completed", resumed.Body.Text("status.terminalReason"));
        Assert.Equal("[turn 2: Go on with your task where you stopped. files:a.txt made-1 ]", await runs.WordsAsync(resumed));

        await runs.MakeAsync("forgets", agents.Agent, "works", "exits");
        var other = await runs.EndAsync(await runs.StartAsync("forgets"));
        var refused = await Assert.ThrowsAsync<ApiException>(() => runs.ActAsync(other, DispatchActions.Resume));
        Assert.Equal((409, true), (refused.Code, refused.Message.Contains("worker cannot take up a session of before; run it again", StringComparison.Ordinal)));
        Assert.Equal(422, (await Assert.ThrowsAsync<ApiException>(() => runs.ActAsync(run, DispatchActions.Continue, Saying(" ")))).Code);
        Assert.Equal(422, (await Assert.ThrowsAsync<ApiException>(() => runs.ActAsync(run, DispatchActions.Continue, Saying(new string('x', 20_000))))).Code);
    }

    private static JsonObject Saying(string text) => new() { ["message"] = text };
}
