using System.Net;
using Krate.E2E.Hosting;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.E2E.Journeys;

/// <summary>What the Dockerfile copies, run as the image runs it: there is no container engine here.</summary>
public sealed class PublishedAppTests(AppFixture app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_runs_as_uid_65532_from_any_directory_with_everything_but_its_data_read_only()
    {
        var folder = Directory.CreateTempSubdirectory("krate-e2e-").FullName;
        string[] sandbox =
        [
            "bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--bind", folder, folder,
            "--unshare-user", "--uid", "65532", "--gid", "65532", "--chdir", "/", app.Program,
        ];
        await using (var krate = await KrateProcess.StartAsync(sandbox, Path.Combine(folder, "data"), null, Ct))
        {
            using var client = new HttpClient { BaseAddress = krate.Http };
            var page = await client.GetStringAsync("/signin", Ct);
            Assert.Contains("Continue as local developer", page, StringComparison.Ordinal);
            using var style = await client.GetAsync(new Uri("/css/krate.css", UriKind.Relative), Ct);
            Assert.Equal(HttpStatusCode.OK, style.StatusCode);
            Assert.NotEmpty(await style.Content.ReadAsByteArrayAsync(Ct));
            Assert.DoesNotContain(krate.Log.Split('\n'), l => l.Contains("Z error", StringComparison.Ordinal) || l.Contains("Z fatal", StringComparison.Ordinal));
        }

        Directory.Delete(folder, recursive: true);
    }
}
