using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Crash;

/// <summary>Krate killed while people push: afterwards the audit tells of every moved ref once, as the logs of git have it, and nothing is left of what was cut.</summary>
public sealed class PushKillTests
{
    private const int Kills = 6;
    private const int Pushers = 3;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_ref_that_moved_is_told_once_however_often_Krate_is_killed()
    {
        using var data = new TempData();
        using var git = new GitClient();
        string[] command = ["dotnet", Path.Combine(AppContext.BaseDirectory, "Krate.Web.dll")];
        for (var i = 0; i < Pushers; i++) await git.NewRepositoryAsync($"work{i}");
        await MakeRepositoryAsync(command, data.Directory.Path);
        var directory = Path.Combine(data.Directory.Git, "acme", "shop.git");
        var random = new Random(5);
        for (var kill = 0; kill < Kills; kill++)
        {
            await using var krate = await KrateProcess.StartAsync(command, data.Directory.Path, null, Ct);
            using var end = CancellationTokenSource.CreateLinkedTokenSource(Ct);
            var pushed = new CountdownEvent(random.Next(2, 7));
            var pushing = Enumerable.Range(0, Pushers).Select(i => PushAsync(git, krate, i, kill, pushed, end.Token)).ToList();
            await Task.Run(() => pushed.Wait(Ct), Ct);
            using var half = await HalfPushAsync(krate);
            await UntilAsync(() => LeftIn(directory).Any());
            await krate.KillAsync();
            await end.CancelAsync();
            await Task.WhenAll(pushing);
        }

        // A killed git leaves these, if it had no time to clear up.
        Directory.CreateDirectory(Path.Combine(directory, "objects", "tmp_objdir-incoming-dead", "pack"));
        await File.WriteAllTextAsync(Path.Combine(directory, "refs", "heads", "after.lock"), "", Ct);
        await using var last = await KrateProcess.StartAsync(command, data.Directory.Path, null, Ct);
        var moved = Directory.EnumerateFiles(Path.Combine(directory, "logs", "refs"), "*", SearchOption.AllDirectories)
            .SelectMany(f => File.ReadLines(f).Select(l => l.Split(' ')).Select(l => $"{Path.GetRelativePath(Path.Combine(directory, "logs"), f)} {l[0]} {l[1]}")).Order(StringComparer.Ordinal).ToList();
        Assert.True(moved.Count >= Kills, $"only {moved.Count} refs moved");
        Assert.Equal(moved, await ToldAsync(last, moved.Count));
        // What a killed git left behind is cleared away in the background, and nothing of it is in the way.
        await UntilAsync(() => !LeftIn(directory).Any());
        Assert.Empty(LeftIn(directory));
        Assert.Equal("", await git.RunAsync(".", "--git-dir=" + directory, "for-each-ref", "refs/heads/half"));
        await git.RunAsync("work0", "push", "--quiet", "--force", UrlOf(last), "HEAD:refs/heads/after");
    }

    private static IEnumerable<string> LeftIn(string directory) =>
        Directory.EnumerateDirectories(Path.Combine(directory, "objects"), "tmp_objdir-*").Concat(Directory.EnumerateFiles(Path.Combine(directory, "refs", "heads"), "*.lock"));

    /// <summary>For ten seconds at most; the caller asserts.</summary>
    private static async Task UntilAsync(Func<bool> isSo)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        for (var attempt = 0; !isSo() && attempt < 200; attempt++) await timer.WaitForNextTickAsync(Ct);
    }

    /// <summary>The start of a push, and then nothing more.</summary>
    private static async Task<TcpClient> HalfPushAsync(KrateProcess krate)
    {
        var update = $"{new string('0', 40)} {new string('1', 40)} refs/heads/half\0report-status\n";
        byte[] body = [.. Encoding.ASCII.GetBytes($"{update.Length + 4:x4}{update}0000PACK"), 0, 0, 0, 2, 0, 0, 0xff, 0xff];
        var head = $"POST /git/acme/shop.git/git-receive-pack HTTP/1.1\r\nHost: 127.0.0.1:{krate.Http.Port}\r\nAuthorization: Bearer {krate.AdminToken()}\r\nContent-Type: application/x-git-receive-pack-request\r\nTransfer-Encoding: chunked\r\n\r\n{body.Length:x}\r\n";
        var client = new TcpClient(krate.Http.Host, krate.Http.Port);
        await client.GetStream().WriteAsync((byte[])[.. Encoding.ASCII.GetBytes(head), .. body, .. "\r\n"u8], Ct);
        return client;
    }

    private static async Task PushAsync(GitClient git, KrateProcess krate, int pusher, int round, CountdownEvent pushed, CancellationToken ct)
    {
        for (var i = 0; !ct.IsCancellationRequested; i++)
        {
            await git.CommitAsync($"work{pusher}", "a.txt", $"{round} {i}\n");
            var branch = string.Create(CultureInfo.InvariantCulture, $"HEAD:refs/heads/p{pusher}/b{i % 3}");
            if ((await git.TryAsync($"work{pusher}", "push", "--quiet", "--force", UrlOf(krate), branch)).ExitCode == 0 && !pushed.IsSet) pushed.Signal();
        }
    }

    private static string UrlOf(KrateProcess krate) => $"http://x:{krate.AdminToken()}@127.0.0.1:{krate.Http.Port}/git/acme/shop.git";

    private static HttpClient ClientOf(KrateProcess krate) =>
        new() { BaseAddress = krate.Http, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", krate.AdminToken()) } };

    private static async Task MakeRepositoryAsync(string[] command, string data)
    {
        await using var krate = await KrateProcess.StartAsync(command, data, null, Ct);
        await MakeRepositoryAsync(krate);
    }

    private static async Task MakeRepositoryAsync(KrateProcess krate)
    {
        using var client = ClientOf(krate);
        await PostAsync(client, "krate-system/organizations", """{"metadata":{"name":"acme"},"spec":{"slug":"acme","displayName":"Acme"}}""");
        await UntilReadyAsync(client, "krate-system/organizations/acme");
        await PostAsync(client, "krate-org-acme/repositories", """{"metadata":{"name":"shop"},"spec":{"visibility":"private"}}""");
        await UntilReadyAsync(client, "krate-org-acme/repositories/shop");
    }

    private static async Task PostAsync(HttpClient client, string path, string document)
    {
        using var answer = await client.PostAsJsonAsync($"/apis/krate.a5c.ai/v1alpha1/namespaces/{path}", JsonNode.Parse(document), Ct);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Ct));
    }

    private static async Task UntilReadyAsync(HttpClient client, string path)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (KrateJson.ParseObject(await client.GetStringAsync(new Uri($"/apis/krate.a5c.ai/v1alpha1/namespaces/{path}", UriKind.Relative), Ct)).Text("status.phase") != "Ready") await timer.WaitForNextTickAsync(Ct);
    }

    /// <summary>Waits until as many have been told as moved; more would stay more.</summary>
    private static async Task<IReadOnlyList<string>> ToldAsync(KrateProcess krate, int count)
    {
        using var client = ClientOf(krate);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        for (var attempt = 0; ; attempt++)
        {
            var events = KrateJson.ParseObject(await client.GetStringAsync(new Uri("/apis/krate.a5c.ai/v1alpha1/namespaces/krate-org-acme/auditevents?limit=5000", UriKind.Relative), Ct));
            var told = events["items"]!.AsArray().Where(e => e.Text("spec.type")!.StartsWith("ref.", StringComparison.Ordinal))
                .Select(e => $"{e.Text("spec.metadata.ref")} {e.Text("spec.metadata.before")} {e.Text("spec.metadata.after")}").Order(StringComparer.Ordinal).ToList();
            if (told.Count >= count || attempt > 200) return told;
            await timer.WaitForNextTickAsync(Ct);
        }
    }
}
