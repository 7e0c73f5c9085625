using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Krate.Tests.Repositories;
using Xunit;

namespace Krate.Tests.Runs;

[Collection(typeof(GitCollection))]
public sealed class PipelineLifeTests(GitWorld world) : CiWork(world)
{
    [Fact]
    public async Task A_ci_reports_a_pipeline_from_queued_to_its_end_and_the_pipeline_tells_of_its_jobs()
    {
        var repository = await World.NewRepositoryAsync();
        var ci = await NewCiAsync(repository);
        var pipeline = await NewPipelineAsync(ci, repository);
        var (build, test) = (await NewJobAsync(ci, pipeline, "build"), await NewJobAsync(ci, pipeline));
        Assert.Equal(("queued", "queued"), (PhaseOf(pipeline.Body), PhaseOf(build.Body)));
        Assert.Equal(pipeline.Uid, build.Body.At("metadata.ownerReferences")![0].Text("uid"));

        Assert.Equal("running", PhaseOf(await OkAsync(ci, $"jobs/{build.Name}/start")));
        var running = await UntilAsync(pipeline, p => p.Body.Text("status.phase") == "running");
        Assert.NotNull(running.Body.Text("status.startedAt"));
        Assert.Equal("succeeded", PhaseOf(await OkAsync(ci, $"jobs/{build.Name}/finish", """{"exitCode":0}""")));
        Assert.Contains(test.Name, await RefusedAsync(ci, $"pipelines/{pipeline.Name}/finish", 409), StringComparison.Ordinal);
        var failed = await OkAsync(ci, $"jobs/{test.Name}/finish", """{"exitCode":7}""");
        Assert.Equal(("failed", 7L), (PhaseOf(failed), failed.Whole("status.exitCode")));
        Assert.NotEqual("failed", PhaseOf((await NowAsync(pipeline)).Body));

        var ended = await OkAsync(ci, $"pipelines/{pipeline.Name}/finish");
        Assert.Equal(("failed", "test", 2L, 2L, 1L), (PhaseOf(ended), ended.Text("status.failedStep"), ended.Whole("status.jobs.total"), ended.Whole("status.jobs.ended"), ended.Whole("status.jobs.failed")));
        Assert.NotNull(ended.Text("status.completedAt"));
        Assert.Equal(ended.Text("metadata.resourceVersion"), (await OkAsync(ci, $"pipelines/{pipeline.Name}/finish")).Text("metadata.resourceVersion"));
        Assert.Contains("has ended", await RefusedAsync(ci, "jobs", 422, $$"""{"spec":{"pipeline":"{{pipeline.Name}}","step":"late" } }"""), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_is_finished_once_the_same_said_twice_is_nothing_new_and_another_result_a_conflict()
    {
        var (ci, _, job) = await NewRunAsync();
        var first = await OkAsync(ci, $"jobs/{job.Name}/finish", """{"exitCode":1}""");
        Assert.Equal(first.Text("metadata.resourceVersion"), (await OkAsync(ci, $"jobs/{job.Name}/finish", """{"exitCode":1}""")).Text("metadata.resourceVersion"));
        Assert.Contains("failed, exit code 1", await RefusedAsync(ci, $"jobs/{job.Name}/finish", 409, """{"exitCode":0}"""), StringComparison.Ordinal);
        Assert.Contains("has ended", await RefusedAsync(ci, $"jobs/{job.Name}/start", 409), StringComparison.Ordinal);
        foreach (var bad in new[] { "{}", """{"exitCode":"1"}""", """{"exitCode":1.5}""", """{"phase":"running"}""", """{"phase":7}""", """{"exitCode":1,"phase":"succeeded"}""", """{"exitcode":1}""" })
            Assert.DoesNotContain("has ended", await RefusedAsync(ci, $"jobs/{job.Name}/finish", 422, bad), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelling_ends_the_pipeline_and_its_jobs_and_the_ci_notices()
    {
        var (ci, pipeline, job) = await NewRunAsync("internal");
        var done = await NewJobAsync(ci, pipeline, "build");
        await OkAsync(ci, $"jobs/{done.Name}/finish", """{"exitCode":0}""");
        await AppendedAsync(ci, job, 0, "begun\n");
        Assert.Equal(403, (int)(await PostAsync(ci, $"pipelines/{pipeline.Name}/cancel", "{}")).Code);

        await World.Gateway.ActAsync(GitWorld.Admin, Pipelines, pipeline.Namespace, pipeline.Name, "cancel", null, Ct);

        Assert.Equal(("cancelled", "cancelled", "succeeded"), (PhaseOf((await NowAsync(pipeline)).Body), PhaseOf((await NowAsync(job)).Body), PhaseOf((await NowAsync(done)).Body)));
        var (code, refusal) = await AppendAsync(ci, job, 6, "more"u8.ToArray());
        Assert.Equal(409, code);
        Assert.Contains("has ended", refusal.Text("message"), StringComparison.Ordinal);
        Assert.Contains("cancelled", await RefusedAsync(ci, $"jobs/{job.Name}/finish", 409, """{"exitCode":0}"""), StringComparison.Ordinal);
        Assert.Contains("cancelled", await RefusedAsync(ci, $"pipelines/{pipeline.Name}/finish", 409, """{"phase":"failed"}"""), StringComparison.Ordinal);
        await UntilAsync(pipeline, p => p.Body.Whole("status.jobs.ended") == 2);
    }

    [Fact]
    public async Task A_pipeline_that_is_finished_as_failed_takes_its_open_jobs_along()
    {
        var (ci, pipeline, job) = await NewRunAsync();
        Assert.Equal("failed", PhaseOf(await OkAsync(ci, $"pipelines/{pipeline.Name}/finish", """{"phase":"failed"}""")));
        Assert.Equal("cancelled", PhaseOf((await NowAsync(job)).Body));
    }

    [Fact]
    public async Task A_rerun_is_a_new_queued_pipeline_of_the_same_commit_and_takes_the_place_of_the_old_one()
    {
        var (ci, pipeline, job) = await NewRunAsync("internal");
        await Assert.ThrowsAsync<ApiException>(() => World.Gateway.ActAsync(GitWorld.Admin, Pipelines, pipeline.Namespace, pipeline.Name, "rerun", null, Ct));
        await OkAsync(ci, $"jobs/{job.Name}/finish", """{"exitCode":1}""");
        await OkAsync(ci, $"pipelines/{pipeline.Name}/finish");

        var again = new Resource(Pipelines, await World.Gateway.ActAsync(GitWorld.Admin, Pipelines, pipeline.Namespace, pipeline.Name, "rerun", null, Ct));

        Assert.Equal(("queued", pipeline.Name, "krate-admin", pipeline.Body.Text("spec.sha")), (PhaseOf(again.Body), again.Body.Text("spec.resumeFrom"), again.Body.Text("spec.startedBy"), again.Body.Text("spec.sha")));
        await UntilAsync(pipeline, p => p.Body.Text("status.supersededBy") == again.Name);
        Assert.Equal("krate-admin", (await UntilAsync(again, p => p.Body.Text("status.startedBy") is not null)).Body.Text("status.startedBy"));
        Assert.Null((await NowAsync(again)).Body.Text("status.supersededBy"));
        Assert.True(NewestFirst.OrderOf(again) > NewestFirst.OrderOf(pipeline));
    }

    [Fact]
    public async Task Statuses_are_not_for_clients_to_write()
    {
        var (_, pipeline, job) = await NewRunAsync();
        foreach (var run in new[] { pipeline, job })
        {
            var patch = new Patch(PatchType.Merge, KrateJson.ParseObject("""{"status":{"phase":"succeeded"}}"""), "test");
            var refused = await Assert.ThrowsAsync<ApiException>(() => World.Gateway.PatchAsync(GitWorld.Admin, run.Kind, run.Namespace, run.Name, patch, new WriteOptions { Subresource = "status" }, Ct));
            Assert.Equal(403, refused.Code);
            Assert.Contains("finish", refused.Message, StringComparison.Ordinal);
            Assert.Equal("queued", PhaseOf((await NowAsync(run)).Body));
        }
    }

    [Fact]
    public async Task Deleting_a_pipeline_takes_its_jobs_along()
    {
        var (_, pipeline, job) = await NewRunAsync();
        await World.Gateway.DeleteAsync(GitWorld.Admin, Pipelines, pipeline.Namespace, pipeline.Name, new DeleteOptions(), Ct);
        Assert.Null(await World.UntilAsync("Job", job.Namespace, job.Name, j => j is null));
    }

    [Fact]
    public async Task Who_may_not_see_the_repository_does_not_learn_of_its_runs()
    {
        var (_, pipeline, job) = await NewRunAsync();
        var other = await NewCiAsync(await World.NewRepositoryAsync());
        foreach (var path in new[] { $"jobs/{job.Name}/start", $"jobs/{job.Name}/finish", $"pipelines/{pipeline.Name}/finish" }) await RefusedAsync(other, path, 404, """{"phase":"failed"}""");
        Assert.Equal(404, (await AppendAsync(other, job, 0, [1])).Code);
        using var read = await GetLogAsync(other, job);
        Assert.Equal(404, (int)read.StatusCode);
        Assert.Contains("there is no Pipeline", await RefusedAsync(other, "jobs", 422, $$"""{"spec":{"pipeline":"{{pipeline.Name}}","step":"x" } }"""), StringComparison.Ordinal);
    }
}
