using System.Diagnostics;
using System.Globalization;
using System.Text;
using Krate.Core.Resources;
using Krate.Tests.Repositories;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Runs;

[Collection(typeof(GitCollection))]
public sealed class JobLogTests(GitWorld world) : CiWork(world)
{
    [Fact]
    public async Task A_log_grows_at_its_end_and_a_wrong_offset_is_answered_with_the_right_one()
    {
        var (ci, _, job) = await NewRunAsync();
        Assert.Equal("", await LogAsync(ci, job));
        Assert.Equal(4, await AppendedAsync(ci, job, 0, "one\n"));
        Assert.Equal("running", PhaseOf((await NowAsync(job)).Body));
        foreach (var wrong in new long[] { 0, 3, 5, long.MaxValue })
        {
            var (code, refusal) = await AppendAsync(ci, job, wrong, "x"u8.ToArray());
            Assert.Equal((409, 4L), (code, refusal.Whole("details.offset")));
            Assert.Contains("offset=4", refusal.Text("message"), StringComparison.Ordinal);
        }

        Assert.Equal(8, await AppendedAsync(ci, job, 4, "two\n"));
        Assert.Equal(8, await AppendedAsync(ci, job, 8, ""));
        Assert.Equal("one\ntwo\n", await LogAsync(ci, job));
        Assert.Equal(("two\n", "ne", "two\n"), (await LogAsync(ci, job, "?offset=4"), await LogAsync(ci, job, "?offset=1&limit=2"), await LogAsync(ci, job, "?tail=1")));
        foreach (var bad in new[] { "", "?offset=-1", "?offset=x", "?offset=99999999999999999999" })
        {
            using var none = new ByteArrayContent([]);
            using var answer = await ci.PostAsync(new Uri($"/apis/krate.a5c.ai/v1alpha1/namespaces/{GitWorld.Namespace}/jobs/{job.Name}/log{bad}", UriKind.Relative), none, Ct);
            Assert.Equal(400, (int)answer.StatusCode);
        }

        Assert.Equal(8L, (await OkAsync(ci, $"jobs/{job.Name}/finish", """{"exitCode":0}""")).Whole("status.logBytes"));
        Assert.Equal(409, (await AppendAsync(ci, job, 8, "late"u8.ToArray())).Code);
    }

    [Fact]
    public async Task Bytes_are_given_back_as_they_came_and_so_that_no_browser_runs_them()
    {
        var (ci, _, job) = await NewRunAsync();
        var bytes = Enumerable.Range(0, 1024).Select(i => (byte)i).ToArray();
        Assert.Equal(201, (await AppendAsync(ci, job, 0, bytes)).Code);
        using var answer = await GetLogAsync(ci, job);
        Assert.Equal(bytes, await answer.Content.ReadAsByteArrayAsync(Ct));
        Assert.Equal("text/plain; charset=utf-8", answer.Content.Headers.ContentType?.ToString());
        Assert.StartsWith("sandbox", answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        var log = (await Logs.OpenAsync(job, Ct))!;
        Assert.Contains(await log.ReadLinesAsync(0, 100, Ct), l => l.Text.Contains('\uFFFD', StringComparison.Ordinal));
    }

    [Fact]
    public async Task Of_appends_at_the_same_offset_one_wins()
    {
        var (ci, _, job) = await NewRunAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => AppendAsync(ci, job, 0, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"sender {i:00}\n")))));
        Assert.Single(answers, a => a.Code == 201);
        Assert.All(answers.Where(a => a.Code != 201), a => Assert.Equal((409, 10L), (a.Code, a.Answer.Whole("details.offset"))));
        Assert.Equal(10, (await LogAsync(ci, job)).Length);
    }

    [Fact]
    public async Task An_append_over_the_limit_is_refused_whole()
    {
        var (ci, _, job) = await NewRunAsync();
        var (code, refusal) = await AppendAsync(ci, job, 0, new byte[(8 << 20) + 1]);
        Assert.Equal(413, code);
        Assert.Contains("8,388,608 bytes", refusal.Text("message"), StringComparison.Ordinal);
        Assert.Equal("", await LogAsync(ci, job));
    }

    [Fact]
    public async Task Whoever_follows_hears_of_each_append_and_of_the_end()
    {
        var (ci, _, job) = await NewRunAsync();
        await using var lengths = Logs.FollowAsync(job, 0, Ct).GetAsyncEnumerator(Ct);
        for (var (next, length) = (lengths.MoveNextAsync().AsTask(), 0L); length < 3; next = lengths.MoveNextAsync().AsTask())
        {
            length = await AppendedAsync(ci, job, length, "\n");
            Assert.True(await next);
            Assert.Equal(length, lengths.Current);
            if (length < 3) continue;
            var end = lengths.MoveNextAsync().AsTask();
            await OkAsync(ci, $"jobs/{job.Name}/finish", """{"exitCode":0}""");
            Assert.False(await end);
            return;
        }
    }

    [Fact]
    public async Task Kubectl_appends_and_reads_a_log()
    {
        var (_, _, job) = await NewRunAsync();
        using var kubectl = Kubectl.Of("1.34", World.Server.Kubeconfig);
        var path = $"/apis/krate.a5c.ai/v1alpha1/namespaces/{GitWorld.Namespace}/jobs/{job.Name}/log";
        Assert.Contains("\"offset\":6", await kubectl.RunAsync($"create --raw {path}?offset=0 -f -", "hello\n"), StringComparison.Ordinal);
        Assert.Equal("hello\n", await kubectl.RunAsync($"get --raw {path}"));
    }
}
