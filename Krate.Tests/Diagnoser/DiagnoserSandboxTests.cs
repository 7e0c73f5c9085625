using Krate.Core.Agents;
using Krate.Core.Resources;
using Krate.Tests.Agents;
using Krate.Tests.ControlPlane;

namespace Krate.Tests.Diagnoser;

/// <summary>The agent as Krate starts it: found beside Krate's program, inside the sandbox.</summary>
[Collection(typeof(AgentCollection))]
public sealed class DiagnoserSandboxTests(AgentWorld agents)
{
    [Fact]
    public async Task Its_adapter_is_ready_without_any_configuration()
    {
        var made = await agents.CreateAsync("AgentAdapter", "diagnoser", new() { ["adapterType"] = AdapterCatalog.Diagnoser, ["transport"] = "acp-stdio" });
        var ready = await agents.ConditionAsync(made, Condition.Ready);
        Assert.Equal((Condition.True, "CapabilitiesDiscovered"), (ready.Status, ready.Reason));
        Assert.StartsWith("krate-diagnoser (rule-based) ", ready.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_diagnoses_within_the_walls()
    {
        var known = AdapterCatalog.Find(AdapterCatalog.Diagnoser)!;
        await using var process = await agents.World.Service<AgentProcesses>().StartAsync(new(known.Command!, known.Arguments), 1 << 20, ControlPlaneWorld.Ct);
        await using var agent = new DiagnoserProcess(process.Input, process.Output);
        var session = await agent.NewSessionAsync(AgentSandbox.Home);
        Assert.Equal("end_turn", (await agent.PromptAsync(session, DiagnoserProcess.Log("+ make all\nmake: *** No rule to make target 'x', needed by 'all'.  Stop.\n"))).Text("result.stopReason"));
        Assert.Contains("- **Failing command:** `make all`", agent.Said, StringComparison.Ordinal);
        Assert.Contains("No rule to make target 'x', needed by 'all'.", agent.Said, StringComparison.Ordinal);
    }
}
