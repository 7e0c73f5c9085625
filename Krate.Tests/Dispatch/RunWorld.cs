using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds.Dispatch;
using Krate.Core.Repositories;
using Krate.Core.Resources;
using Krate.Core.Sessions;
using Krate.Tests.Agents;
using Krate.Tests.ControlPlane;
using Krate.Tests.Testing;

namespace Krate.Tests.Dispatch;

/// <summary>Stacks whose agents are programs of the tests, a repository to work on, and runs of them.</summary>
internal sealed class RunWorld(AgentWorld agents)
{
    public const string Ns = AgentWorld.Namespace;

    public static CancellationToken Ct => ControlPlaneWorld.Ct;

    public Task<Resource> MakeAsync(string name, string program, params string[] arguments) => MakeAsync(name, program, arguments, []);

    /// <param name="more">Further fields of the stack.</param>
    public async Task<Resource> MakeAsync(string name, string program, string[] arguments, JsonObject more)
    {
        var world = agents.World;
        await agents.NewAdapterAsync(name, program, arguments);
        await world.CreateAsync($"{{apiVersion: v1, kind: ServiceAccount, metadata: {{name: {name}}}}}", Ns);
        var spec = new JsonObject { ["baseAgent"] = "custom", ["adapter"] = name, ["runtimeIdentity"] = new JsonObject { ["serviceAccountRef"] = name } };
        foreach (var (field, value) in more) spec[field] = value?.DeepClone();
        await agents.CreateAsync("AgentStack", name, spec);
        if (await world.FindAsync("Repository", Ns, "runs-work") is null) await MakeRepositoryAsync();
        return await world.UntilAsync("AgentStack", Ns, name, s => s?.FindCondition(Condition.Ready)?.Status == Condition.True);
    }

    public async Task<Resource> StartAsync(string stack, Action<JsonObject>? change = null, (string Name, string Value)? annotation = null)
    {
        var document = new JsonObject { ["spec"] = new JsonObject { ["repository"] = "runs-work", ["agentStack"] = stack, ["taskKind"] = "task", ["sourceRefs"] = new JsonObject(), ["task"] = "Do it." } };
        change?.Invoke((JsonObject)document["spec"]!);
        if (annotation is var (name, value)) document["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [name] = value } };
        return await agents.World.Gateway.CreateAsync(ControlPlaneWorld.Admin, ControlPlaneWorld.Kind("AgentDispatchRun"), Ns, document, new WriteOptions(), Ct);
    }

    public Task<Resource> UntilAsync(Resource run, Func<Resource, bool> holds) => agents.World.UntilAsync("AgentDispatchRun", Ns, run.Name, r => r is not null && holds(r));

    public Task<Resource> EndAsync(Resource run) => UntilAsync(run, r => RunPhase.IsTerminal(r.Body.Text("status.phase")));

    public Task<JsonObject> ActAsync(Resource resource, string action, JsonObject? body = null) => agents.World.Gateway.ActAsync(ControlPlaneWorld.Admin, resource.Kind, Ns, resource.Name, action, body ?? [], Ct);

    public Task<JsonObject> DecideAsync(Resource approval, string decision) => ActAsync(approval, "decision", new() { ["decision"] = decision });

    public async Task<IReadOnlyList<SessionEvent>> EventsAsync(Resource run)
    {
        var attempt = await SessionReading.AttemptAsync(agents.World.Gateway, Krate.Core.Kinds.KindTable.Catalog, ControlPlaneWorld.Admin, run, Ct);
        return agents.World.Service<SessionLogs>().Read(attempt!, 0);
    }

    /// <summary>All that the agent said.</summary>
    public async Task<string> WordsAsync(Resource run) => string.Concat((await EventsAsync(run)).Where(e => e.Type == "message" && e.Data.Text("role") != "user").Select(e => e.Data.Text("text")));

    private async Task MakeRepositoryAsync()
    {
        await agents.World.CreateAsync("{apiVersion: krate.a5c.ai/v1alpha1, kind: Repository, metadata: {name: runs-work}, spec: {visibility: private, defaultBranch: main}}", Ns);
        await agents.World.UntilAsync("Repository", Ns, "runs-work", r => r?.FindCondition(Condition.Ready)?.Status == Condition.True);
        using var git = new GitClient();
        await git.NewRepositoryAsync("work", "a.txt", "a\n");
        await git.RunAsync("work", "push", "--quiet", agents.World.Service<RepositoryFiles>().DirectoryOf("acme", "runs-work"), "main");
    }
}
