using Krate.Core.Gateway;
using Krate.Core.Runs;
using Krate.Tests.Repositories;
using Xunit;

namespace Krate.Tests.Runs;

[Collection(typeof(GitCollection))]
public sealed class LogSweepTests(GitWorld world) : CiWork(world)
{
    [Fact]
    public async Task Logs_of_jobs_that_are_gone_are_deleted_after_a_while_and_no_others()
    {
        var ((ci, _, kept), (other, _, gone)) = (await NewRunAsync(), await NewRunAsync());
        await AppendedAsync(ci, kept, 0, "kept\n");
        await AppendedAsync(other, gone, 0, "gone\n");
        await World.Gateway.DeleteAsync(GitWorld.Admin, Jobs, gone.Namespace, gone.Name, new DeleteOptions(), Ct);
        var sweep = World.Server.Service<LogSweep>();
        await sweep.RunAsync(World.Gateway, GitWorld.Admin, Ct);
        Assert.NotEmpty(FilesOf(gone.Uid));

        foreach (var file in FilesOf(kept.Uid).Concat(FilesOf(gone.Uid))) File.SetLastWriteTimeUtc(file, TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(-2));
        Assert.True(await sweep.RunAsync(World.Gateway, GitWorld.Admin, Ct) >= 1);

        Assert.Empty(FilesOf(gone.Uid));
        Assert.Equal("kept\n", await LogAsync(ci, kept));
    }

    private string[] FilesOf(string uid) => Directory.GetFiles(Path.Combine(World.Server.Data.Path, "logs"), uid + "*", SearchOption.AllDirectories);
}
