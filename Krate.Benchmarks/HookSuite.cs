using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace Krate.Benchmarks;

/// <summary>What subscribers cost those who push: none, one that takes everything at once, and one that is slow and has a thousand deliveries waiting.</summary>
internal static class HookSuite
{
    private const int Pushes = 30;
    private const int Waiting = 1000;

    public static async Task RunAsync(Report report, CancellationToken ct)
    {
        await using var target = await GitTarget.StartAsync(GitSuite.App, ct, "--Krate:Outbound:AllowedHosts=localhost");
        using var quick = Receiver.Start(TimeSpan.Zero);
        using var slow = Receiver.Start(TimeSpan.FromSeconds(2));
        await target.ImportAsync("source", Write, ct);
        await target.MakeRepositoryAsync("hooks", ct);
        report.Section("A push of one commit, ms (median of 30)", "", "ms", "ratio");
        var alone = await PushAsync(target, 0, ct);
        report.Row("nobody listens (reference)", alone, "1.00");
        await SubscribeAsync(target, "quick", quick.Url, ct);
        Tell("one subscriber that answers at once", await PushAsync(target, 1, ct));
        await SubscribeAsync(target, "slow", slow.Url, ct);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(w => OpenIssuesAsync(target, w, Waiting / 8, ct)));
        Tell($"and one that takes 2 s for each of {Waiting} deliveries", await PushAsync(target, 2, ct));

        void Tell(string title, double time) => report.Row(title, time, (time / alone).ToString("N2", CultureInfo.InvariantCulture));
    }

    private static async Task<double> PushAsync(GitTarget target, int round, CancellationToken ct)
    {
        var times = new List<double>();
        for (var i = 0; i < Pushes; i++)
            times.Add(1000 * await target.GitAsync("source", ct, "push", "--quiet", target.UrlOf("hooks"), $"refs/heads/main~{((2 - round) * Pushes) + Pushes - 1 - i}:refs/heads/main"));
        return GitSuite.Median(times);
    }

    private static void Write(StreamWriter writer)
    {
        for (var i = 1; i <= (3 * Pushes) + 1; i++)
        {
            GitSuite.WriteCommit(writer, i, $"Commit {i}");
            GitSuite.WriteFile(writer, "a.txt", $"{i}\n");
        }
    }

    private static Task SubscribeAsync(GitTarget target, string name, string url, CancellationToken ct) =>
        PostAsync(target, "webhooksubscriptions", $$$"""{"metadata":{"name":"{{{name}}}"},"spec":{"repository":"hooks","url":"{{{url}}}","events":["*"]}}""", ct);

    private static async Task OpenIssuesAsync(GitTarget target, int writer, int count, CancellationToken ct)
    {
        for (var i = 0; i < count; i++) await PostAsync(target, "issues", $$$"""{"metadata":{},"spec":{"repository":"hooks","title":"Issue {{{writer}}}-{{{i}}}"}}""", ct);
    }

    private static async Task PostAsync(GitTarget target, string path, string document, CancellationToken ct)
    {
        using var answer = await target.Client.PostAsJsonAsync($"/apis/krate.a5c.ai/v1alpha1/namespaces/krate-org-bench/{path}", JsonNode.Parse(document), ct);
        if (!answer.IsSuccessStatusCode) throw new InvalidOperationException(await answer.Content.ReadAsStringAsync(ct));
    }

    /// <summary>A web server that takes everything, after a while.</summary>
    private sealed class Receiver : IDisposable
    {
        private readonly HttpListener listener = new();

        private Receiver(int port)
        {
            Url = $"http://localhost:{port}/";
            listener.Prefixes.Add(Url);
        }

        public string Url { get; }

        public static Receiver Start(TimeSpan delay)
        {
            using var free = new TcpListener(IPAddress.Loopback, 0);
            free.Start();
            var receiver = new Receiver(((IPEndPoint)free.LocalEndpoint).Port);
            free.Stop();
            receiver.listener.Start();
            _ = receiver.TakeAsync(delay);
            return receiver;
        }

        public void Dispose() => listener.Close();

        private async Task TakeAsync(TimeSpan delay)
        {
            while (listener.IsListening)
            {
                try
                {
                    _ = AnswerAsync(await listener.GetContextAsync(), delay);
                }
                catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
                {
                    return;
                }
            }
        }

        private static async Task AnswerAsync(HttpListenerContext context, TimeSpan delay)
        {
            await context.Request.InputStream.CopyToAsync(Stream.Null);
            await Task.Delay(delay);
            context.Response.StatusCode = 204;
            context.Response.Close();
        }
    }
}
