using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Crash;

/// <summary>Krate whose files may not grow: what a full disk is to those who write, for any user who runs this.</summary>
public sealed class FullDiskTests
{
    private const int Most = 6 << 20;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_space_pushes_and_writes_are_refused_whole_and_with_space_all_goes_on()
    {
        using var data = new TempData();
        using var git = new GitClient();
        var program = Path.Combine(AppContext.BaseDirectory, "Krate.Web.dll");
        // The runtime's own double mapping is a file that is larger than the limit.
        string[] command = ["sh", "-c", $"trap '' XFSZ; export DOTNET_EnableWriteXorExecute=0; ulimit -S -f {Most / 512}; exec dotnet '{program}' \"$@\"", "sh"];
        await using var krate = await KrateProcess.StartAsync(command, data.Directory.Path, null, Ct);
        using var client = new HttpClient { BaseAddress = krate.Http, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", krate.AdminToken()) } };
        Assert.Equal(HttpStatusCode.Created, await PostAsync(client, "/apis/krate.a5c.ai/v1alpha1/namespaces/krate-system/organizations", """{"metadata":{"name":"acme"},"spec":{"slug":"acme","displayName":"Acme"}}"""));
        await UntilReadyAsync(client, "krate-system/organizations/acme");
        Assert.Equal(HttpStatusCode.Created, await PostAsync(client, "/apis/krate.a5c.ai/v1alpha1/namespaces/krate-org-acme/repositories", """{"metadata":{"name":"shop"},"spec":{"visibility":"private"}}"""));
        await UntilReadyAsync(client, "krate-org-acme/repositories/shop");
        var url = $"http://x:{krate.AdminToken()}@127.0.0.1:{krate.Http.Port}/git/acme/shop.git";
        await git.NewRepositoryAsync("work");
        await git.RunAsync("work", "push", "--quiet", url, "main");
        var objects = Path.Combine(data.Directory.Git, "acme", "shop.git", "objects");
        await git.CommitAsync("work", "large.txt", Convert.ToBase64String(RandomNumberGenerator.GetBytes(Most + (Most / 8))));
        var refused = await git.TryAsync("work", "push", url, "main");
        Assert.True(refused.ExitCode != 0 && refused.Error.Contains("File too large", StringComparison.Ordinal), refused.Error);
        Assert.Empty(Directory.GetFileSystemEntries(objects, "tmp_*", SearchOption.AllDirectories));
        Assert.True(new DirectoryInfo(objects).EnumerateFiles("*", SearchOption.AllDirectories).Sum(f => f.Length) < Most);
        Assert.Equal(await git.RunAsync("work", "rev-parse", "main~1"), (await git.RunAsync("work", "ls-remote", url, "main")).Split('\t')[0]);
        await git.RunAsync("work", "push", "--quiet", url, "main~1:refs/heads/small");

        var written = 0;
        var answer = HttpStatusCode.Created;
        for (; answer == HttpStatusCode.Created && written < 60; written++) answer = await WriteAsync(client, written);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer);
        Assert.Equal(HttpStatusCode.NotFound, await GetAsync(client, written - 1));
        Assert.Equal(HttpStatusCode.OK, await GetAsync(client, written - 2));

        using (var raise = Process.Start("prlimit", ["--pid", krate.ProcessId.ToString(CultureInfo.InvariantCulture), "--fsize=unlimited:unlimited"])) await raise.WaitForExitAsync(Ct);
        Assert.Equal(HttpStatusCode.Created, await WriteAsync(client, written - 1));
        Assert.Equal(HttpStatusCode.OK, await GetAsync(client, written - 1));
        await git.RunAsync("work", "push", "--quiet", url, "main");
    }

    private static Task<HttpStatusCode> WriteAsync(HttpClient client, int number) =>
        PostAsync(client, "/api/v1/namespaces/krate-org-acme/configmaps", $$"""{"metadata":{"name":"filler-{{number}}"},"data":{"text":"{{Convert.ToBase64String(RandomNumberGenerator.GetBytes(400 << 10))}}"} }""");

    private static async Task<HttpStatusCode> GetAsync(HttpClient client, int number)
    {
        using var answer = await client.GetAsync(new Uri($"/api/v1/namespaces/krate-org-acme/configmaps/filler-{number}", UriKind.Relative), Ct);
        return answer.StatusCode;
    }

    private static async Task<HttpStatusCode> PostAsync(HttpClient client, string path, string document)
    {
        using var answer = await client.PostAsJsonAsync(path, JsonNode.Parse(document), Ct);
        Assert.True(answer.StatusCode is HttpStatusCode.Created or HttpStatusCode.ServiceUnavailable, await answer.Content.ReadAsStringAsync(Ct));
        return answer.StatusCode;
    }

    private static async Task UntilReadyAsync(HttpClient client, string path)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (KrateJson.ParseObject(await client.GetStringAsync(new Uri($"/apis/krate.a5c.ai/v1alpha1/namespaces/{path}", UriKind.Relative), Ct)).Text("status.phase") != "Ready") await timer.WaitForNextTickAsync(Ct);
    }
}
