using System.Text.Json.Nodes;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Tests.Repositories;
using Krate.Tests.Work;
using Xunit;

namespace Krate.Tests.Runs;

[Collection(typeof(GitCollection))]
public sealed class RequiredCheckTests(GitWorld world) : PullRequestWork(world)
{
    private static KindDefinition Pipelines => KindTable.Catalog["Pipeline"];

    [Fact]
    public async Task A_rerun_makes_a_required_check_wait_again_and_the_last_run_decides()
    {
        var repository = await PushedAsync();
        await ProtectAsync(repository, new() { ["requiredChecks"] = new JsonArray("verify") });
        var pull = await OpenAsync(repository, "lumi");
        var first = await World.CreateAsync("Pipeline", GitWorld.Namespace, repository.Name + "-z", new() { ["repository"] = repository.Name, ["ref"] = "refs/heads/change", ["sha"] = pull.Body.Text("status.headSha"), ["workflow"] = "verify" });
        await ActAsync(first, "finish", new() { ["phase"] = "succeeded" });
        await UntilCheckAsync(pull, first.Name, "succeeded");
        await World.UntilAsync("Pipeline", first.Namespace, first.Name, p => p!.Body.Text("status.startedBy") == "lumi");

        var again = await ActAsync(first, "rerun");
        await UntilCheckAsync(pull, again.Name, "queued");
        Assert.Contains("verify", await RefusedAsync(pull), StringComparison.Ordinal);
        await ActAsync(again, "finish", new() { ["phase"] = "failed" });
        Assert.Contains("verify", await RefusedAsync(pull), StringComparison.Ordinal);

        var last = await ActAsync(again, "rerun");
        await ActAsync(last, "finish");
        await UntilCheckAsync(pull, last.Name, "succeeded");
        Assert.Equal("Merged", (await MergeAsync(pull, "max")).Body.Text("status.phase"));
    }

    private Task<Resource> UntilCheckAsync(Resource pull, string run, string phase) =>
        UntilAsync(pull, p => p.Body.At("status.checks") is JsonArray checks && checks.Any(c => c.Text("resource") == run && c.Text("phase") == phase));

    private async Task<Resource> ActAsync(Resource run, string action, JsonObject? body = null) =>
        new(Pipelines, await World.Gateway.ActAsync(GitWorld.Admin, Pipelines, run.Namespace, run.Name, action, body, Ct));
}
