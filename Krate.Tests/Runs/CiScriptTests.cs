using System.Diagnostics;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Tests.Repositories;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Runs;

/// <summary>The script that docs/ci.md tells people to use.</summary>
[Collection(typeof(GitCollection))]
public sealed class CiScriptTests(GitWorld world) : CiWork(world)
{
    [Fact]
    public async Task A_failing_command_is_a_failed_pipeline_with_its_output_and_first_error()
    {
        var repository = await World.NewRepositoryAsync();
        using var script = await StartAsync(repository, "run", "--step", "test", "--", "sh", "-c", "echo building; echo \"token=${KRATE_TOKEN:-none}\"; echo 'a.c:3:10: error: no such \"thing\"' >&2; exit 3");
        var output = await script.StandardOutput.ReadToEndAsync(Ct);
        await script.WaitForExitAsync(Ct);
        Assert.True(script.ExitCode == 3, $"{script.ExitCode} {output} {await script.StandardError.ReadToEndAsync(Ct)}");
        var job = Assert.Single(await JobsAsync(repository));
        Assert.Equal("building\ntoken=none\na.c:3:10: error: no such \"thing\"\n", output);
        Assert.Equal(output, await LogAsync(World.Server.Admin, job));
        Assert.Equal(("failed", 3L, "a.c:3:10: error: no such \"thing\"", 3L, "test"), (PhaseOf(job.Body), job.Body.Whole("status.exitCode"), job.Body.Text("status.failureSignature"), job.Body.Whole("status.failureLine"), job.Body.Text("spec.step")));
        Assert.Equal(DerivedLabel.DigestOf("a.c:3:10: error: no such \"thing\""), job.Label(WellKnown.FailureSignatureLabel));
        var pipeline = (await World.FindAsync("Pipeline", job.Namespace, job.Body.Text("spec.pipeline")!))!;
        Assert.Equal(("failed", "test", job.Label(WellKnown.FailureSignatureLabel)), (PhaseOf(pipeline.Body), pipeline.Body.Text("status.failedStep"), pipeline.Label(WellKnown.FailureSignatureLabel)));
    }

    [Fact]
    public async Task A_running_command_is_seen_live_and_ended_when_somebody_cancels_the_pipeline()
    {
        var repository = await World.NewRepositoryAsync();
        using var script = await StartAsync(repository, "run", "--", "sh", "-c", "echo first; while :; do echo more; sleep 0.2; done");
        Assert.Equal("first", await script.StandardOutput.ReadLineAsync(Ct));
        var job = Assert.Single(await JobsAsync(repository));
        Assert.Equal("running", PhaseOf(job.Body));
        Assert.StartsWith("first\n", await LogAsync(World.Server.Admin, job), StringComparison.Ordinal);

        await World.Gateway.ActAsync(GitWorld.Admin, Pipelines, job.Namespace, job.Body.Text("spec.pipeline")!, "cancel", null, Ct);

        await script.StandardOutput.ReadToEndAsync(Ct);
        await script.WaitForExitAsync(Ct);
        Assert.Equal(130, script.ExitCode);
        Assert.Contains("has ended", await script.StandardError.ReadToEndAsync(Ct), StringComparison.Ordinal);
    }

    private async Task<Process> StartAsync(Resource repository, params string[] arguments)
    {
        using var ci = await NewCiAsync(repository);
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[Path.Combine(Repository.Root, "docs", "ci", "krate-ci.sh"), .. arguments]) start.ArgumentList.Add(argument);
        foreach (var name in start.Environment.Keys.Where(k => k.EndsWith("_proxy", StringComparison.OrdinalIgnoreCase)).ToList()) start.Environment.Remove(name);
        (start.Environment["KRATE_URL"], start.Environment["KRATE_TOKEN"], start.Environment["KRATE_ORG"]) = (World.Server.Http.ToString(), ci.DefaultRequestHeaders.Authorization!.Parameter, "acme");
        (start.Environment["KRATE_REPOSITORY"], start.Environment["KRATE_REF"]) = (repository.Name, "refs/heads/main");
        return Process.Start(start)!;
    }

    private async Task<IReadOnlyList<Resource>> JobsAsync(Resource repository) =>
        (await World.Gateway.ListAsync(GitWorld.Admin, Jobs, GitWorld.Namespace, new ListOptions { Labels = Selector.Parse($"{WellKnown.RepositoryLabel}={repository.Name}") }, Ct)).Items;
}
