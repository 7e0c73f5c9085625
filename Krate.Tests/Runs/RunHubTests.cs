using System.Text;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Tests.Repositories;
using Krate.Web.Api;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Xunit;

namespace Krate.Tests.Runs;

/// <summary>Following a log with the real client.</summary>
[Collection(typeof(GitCollection))]
public sealed class RunHubTests(GitWorld world) : CiWork(world)
{
    [Fact]
    public async Task A_program_gets_the_bytes_from_its_offset_on_as_they_come_until_the_job_ends()
    {
        var (ci, _, job) = await NewRunAsync();
        var length = await AppendedAsync(ci, job, 0, "before\n");
        await using var hub = await ConnectAsync(ci.DefaultRequestHeaders.Authorization!.Parameter!);
        var got = new StringBuilder();
        await foreach (var chunk in hub.StreamAsync<LogChunk>("FollowLog", "acme", job.Name, 3L, Ct))
        {
            Assert.Equal(3 + got.Length, chunk.Offset);
            got.Append(Encoding.UTF8.GetString(chunk.Bytes));
            if (length == 7) length = await AppendedAsync(ci, job, length, new string('x', 100_000) + "\n");
            else if (got.Length == length - 3) await OkAsync(ci, $"jobs/{job.Name}/finish", """{"exitCode":0}""");
        }

        Assert.Equal("ore\n" + new string('x', 100_000) + "\n", got.ToString());
    }

    [Fact]
    public async Task A_right_that_goes_ends_the_stream_and_an_outsider_gets_none()
    {
        var (ci, _, job) = await NewRunAsync();
        await AppendedAsync(ci, job, 0, "secret plans\n");
        var other = await NewCiAsync(await World.NewRepositoryAsync());
        await using (var outside = await ConnectAsync(other.DefaultRequestHeaders.Authorization!.Parameter!))
        {
            var refused = await Assert.ThrowsAsync<HubException>(() => ReadAsync(outside, job));
            Assert.Contains("not found", refused.Message, StringComparison.Ordinal);
        }

        await using var hub = await ConnectAsync(ci.DefaultRequestHeaders.Authorization!.Parameter!);
        await using var chunks = hub.StreamAsync<LogChunk>("FollowLog", "acme", job.Name, 0L, Ct).GetAsyncEnumerator(Ct);
        Assert.True(await chunks.MoveNextAsync());
        await World.Gateway.DeleteAsync(GitWorld.Admin, KindTable.Catalog["RoleBinding"], GitWorld.Namespace, NameOf(ci), new DeleteOptions(), Ct);
        var ended = await Assert.ThrowsAsync<HubException>(() => chunks.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(5), Ct));
        Assert.Contains("has changed", ended.Message, StringComparison.Ordinal);
    }

    private static async Task ReadAsync(HubConnection hub, Resource job)
    {
        await foreach (var chunk in hub.StreamAsync<LogChunk>("FollowLog", "acme", job.Name, 0L, Ct)) Assert.Fail($"{chunk.Bytes.Length} bytes came");
    }

    private async Task<HubConnection> ConnectAsync(string token)
    {
        var hub = new HubConnectionBuilder().WithUrl(new Uri(World.Server.Http, "/hubs/runs"), o =>
        {
            o.Transports = Microsoft.AspNetCore.Http.Connections.HttpTransportType.WebSockets;
            o.AccessTokenProvider = () => Task.FromResult<string?>(token);
        }).Build();
        await hub.StartAsync(Ct);
        return hub;
    }
}
