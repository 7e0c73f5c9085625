using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Repositories;

/// <summary>The real git against a running Krate.</summary>
[Collection(typeof(GitCollection))]
public sealed class GitOverHttpTests(GitWorld world) : IDisposable
{
    private readonly GitClient git = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => git.Dispose();

    [Fact]
    public async Task What_is_pushed_is_cloned_back_with_every_ref_and_whole()
    {
        var repository = await world.NewRepositoryAsync();
        await FourHundredRefsAsync("source");
        await git.RunAsync("source", "push", "--quiet", "--mirror", world.UrlOf(repository.Name));
        await git.RunAsync(".", "clone", "--quiet", "--mirror", world.UrlOf(repository.Name), "copy");

        Assert.Equal(await RefsAsync("source"), await RefsAsync("copy"));
        Assert.Equal(404, (await RefsAsync("copy")).Split('\n').Length);
        Assert.Equal("", (await git.TryAsync("copy", "fsck", "--strict", "--full")).Error);
        Assert.Equal("tag", await git.RunAsync("copy", "cat-file", "-t", "refs/tags/v1"));
        Assert.Equal(403 + 1, (await world.EventsAsync(repository.Name, "ref.created")).Count);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("1")]
    [InlineData("2")]
    public async Task Every_protocol_version_fetches_and_pushes_also_shallow_and_partial(string version)
    {
        var repository = await world.NewRepositoryAsync();
        await git.NewRepositoryAsync("source");
        for (var i = 0; i < 5; i++) await git.CommitAsync("source", $"file{i}.txt", new string('x', 1000 + i));
        string[] protocol = ["-c", $"protocol.version={version}"];
        await git.RunAsync("source", [.. protocol, "push", "--quiet", world.UrlOf(repository.Name), "main"]);
        await git.RunAsync(".", [.. protocol, "clone", "--quiet", "--depth=1", world.UrlOf(repository.Name), "shallow"]);
        await git.RunAsync(".", [.. protocol, "clone", "--quiet", "--filter=blob:none", "--no-checkout", world.UrlOf(repository.Name), "partial"]);

        Assert.Equal("1", await git.RunAsync("shallow", "rev-list", "--count", "HEAD"));
        await git.RunAsync("shallow", [.. protocol, "fetch", "--quiet", "--deepen=2"]);
        Assert.Equal("3", await git.RunAsync("shallow", "rev-list", "--count", "HEAD"));
        Assert.Equal("6", await git.RunAsync("partial", "rev-list", "--count", "HEAD"));
        Assert.Contains("?", await git.RunAsync("partial", "rev-list", "--objects", "--missing=print", "HEAD"), StringComparison.Ordinal);
        Assert.Equal(1000, (await git.RunAsync("partial", "cat-file", "blob", "HEAD:file0.txt")).Length);
    }

    [Fact]
    public async Task An_empty_repository_is_cloned_and_its_first_push_makes_the_default_branch()
    {
        var repository = await world.NewRepositoryAsync(more: s => s["defaultBranch"] = "trunk");
        await git.RunAsync(".", "clone", "--quiet", world.UrlOf(repository.Name), "clone");
        var commit = await git.CommitAsync("clone", "a.txt", "a\n");
        await git.RunAsync("clone", "push", "--quiet", "origin", "HEAD:trunk");

        var after = await world.FindAsync("Repository", GitWorld.Namespace, repository.Name);
        Assert.Equal(commit, after!.Body.Text("status.head"));
        Assert.Equal(WellKnown.AdminUser, after.Body.Text("status.lastPush.by"));
        Assert.Equal("refs/heads/trunk", await git.RunAsync(".", "ls-remote", "--symref", world.UrlOf(repository.Name), "HEAD") is var head ? head.Split('\n')[0].Split(["ref: ", "\t"], StringSplitOptions.RemoveEmptyEntries)[0] : "");
    }

    [Fact]
    public async Task A_large_file_goes_both_ways_whole()
    {
        var repository = await world.NewRepositoryAsync();
        await git.NewRepositoryAsync("source");
        var bytes = new byte[60 << 20];
        new Random(7).NextBytes(bytes);
        await File.WriteAllBytesAsync(git.In("source", "big.bin"), bytes, Ct);
        await git.RunAsync("source", "add", "big.bin");
        await git.RunAsync("source", "commit", "--quiet", "-m", "Big");
        await git.RunAsync("source", "push", "--quiet", world.UrlOf(repository.Name), "main");
        await git.RunAsync(".", "clone", "--quiet", world.UrlOf(repository.Name), "copy");

        Assert.Equal(Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(bytes)), Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(await File.ReadAllBytesAsync(git.In("copy", "big.bin"), Ct))));
    }

    [Fact]
    public async Task A_push_that_is_killed_half_way_leaves_nothing()
    {
        var repository = await world.NewRepositoryAsync();
        await git.NewRepositoryAsync("source");
        await File.WriteAllBytesAsync(git.In("source", "big.bin"), Random(30 << 20), Ct);
        await git.RunAsync("source", "add", "big.bin");
        await git.RunAsync("source", "commit", "--quiet", "-m", "Big");
        var commit = await git.RunAsync("source", "rev-parse", "HEAD");
        await git.RunAsync("source", "pack-objects", "--all", "--quiet", "pack");
        var pack = await File.ReadAllBytesAsync(Directory.GetFiles(git.In("source"), "pack-*.pack").Single(), Ct);
        var command = $"{new string('0', 40)} {commit} refs/heads/main\0report-status";
        byte[] body = [.. Encoding.ASCII.GetBytes($"{command.Length + 4:x4}{command}0000"), .. pack];

        using var end = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        using var content = new Half(body);
        var pushing = world.Server.Admin.PostAsync(new Uri($"git/acme/{repository.Name}.git/git-receive-pack", UriKind.Relative), content, end.Token);
        await content.Sent;
        while (!Quarantined(repository.Name)) await Task.Yield();
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => pushing);

        await GoneAsync(Path.Combine(world.DirectoryOf(repository.Name), "objects"), "tmp_objdir-*");
        Assert.Equal("", await git.RunAsync(".", "ls-remote", world.UrlOf(repository.Name)));
        Assert.Empty(await world.EventsAsync(repository.Name, "ref."));
        await git.RunAsync("source", "push", "--quiet", world.UrlOf(repository.Name), "main");
    }

    [Fact]
    public async Task Broken_packs_bodies_and_services_are_refused_in_words_and_change_nothing()
    {
        var repository = await world.NewRepositoryAsync();
        var receive = $"git/acme/{repository.Name}.git/git-receive-pack";
        var command = $"{new string('0', 40)} {new string('a', 40)} refs/heads/main\0report-status";
        var pack = $"{command.Length + 4:x4}{command}0000";
        foreach (var broken in new[] { pack + "PACK", pack + "PACKrubbish and more rubbish", "zzzz", pack[..20], "" })
        {
            using var content = new ByteArrayContent(Encoding.ASCII.GetBytes(broken)) { Headers = { ContentType = new("application/x-git-receive-pack-request") } };
            using var answer = await world.Server.Admin.PostAsync(new Uri(receive, UriKind.Relative), content, Ct);
            Assert.True((int)answer.StatusCode < 500, $"{answer.StatusCode} for {broken}");
        }

        using var notGzip = new ByteArrayContent("no gzip"u8.ToArray()) { Headers = { ContentEncoding = { "gzip" } } };
        using var refused = await world.Server.Admin.PostAsync(new Uri(receive, UriKind.Relative), notGzip, Ct);
        Assert.True((int)refused.StatusCode < 500);
        using var dumb = await world.Server.Admin.GetAsync(new Uri($"git/acme/{repository.Name}.git/info/refs", UriKind.Relative), Ct);
        Assert.Equal(HttpStatusCode.Forbidden, dumb.StatusCode);
        Assert.Equal("", await git.RunAsync(".", "ls-remote", world.UrlOf(repository.Name)));
    }

    [Fact]
    public async Task A_pushed_replacement_of_an_object_changes_nothing_on_the_server()
    {
        var repository = await world.NewRepositoryAsync();
        await git.NewRepositoryAsync("source");
        await git.RunAsync("source", "push", "--quiet", world.UrlOf(repository.Name), "main");
        // A commit that stands for itself: a git that follows replacements reads nothing of it any more.
        var commit = await git.RunAsync("source", "rev-parse", "HEAD");
        await git.RunAsync("source", "push", "--quiet", world.UrlOf(repository.Name), "main:refs/replace/" + commit);

        await git.RunAsync("source", "push", "--quiet", world.UrlOf(repository.Name), "main:other");
        await git.RunAsync(".", "clone", "--quiet", world.UrlOf(repository.Name), "clone");
        Assert.Equal(commit, await git.RunAsync("clone", "rev-parse", "origin/other"));
    }

    [Fact]
    public async Task A_compressed_negotiation_is_understood()
    {
        var repository = await world.NewRepositoryAsync();
        await git.NewRepositoryAsync("source");
        await git.RunAsync("source", "push", "--quiet", world.UrlOf(repository.Name), "main");
        using var body = new MemoryStream();
        await using (var gzip = new GZipStream(body, CompressionMode.Compress, leaveOpen: true)) await gzip.WriteAsync("0014command=ls-refs\n00010009peel\n0000"u8.ToArray(), Ct);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"git/acme/{repository.Name}.git/git-upload-pack") { Content = new ByteArrayContent(body.ToArray()) };
        request.Content.Headers.ContentEncoding.Add("gzip");
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-git-upload-pack-request");
        request.Headers.Add("Git-Protocol", "version=2");
        using var answer = await world.Server.Admin.SendAsync(request, Ct);

        Assert.Contains("refs/heads/main", await answer.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_may_not_see_it_is_asked_to_sign_in_or_told_that_nothing_is_there()
    {
        var repository = await world.NewRepositoryAsync();
        var (hidden, absent) = (await git.TryAsync(".", "ls-remote", world.UrlOf(repository.Name, "oskar")), await git.TryAsync(".", "ls-remote", world.UrlOf("nowhere", "oskar")));
        Assert.Equal(absent.Error.Replace("nowhere", repository.Name, StringComparison.Ordinal), hidden.Error);
        Assert.Contains("not found", hidden.Error, StringComparison.Ordinal);

        using var nobody = world.Server.NewClient();
        using var challenge = await nobody.GetAsync(new Uri($"git/acme/{repository.Name}.git/info/refs?service=git-upload-pack", UriKind.Relative), Ct);
        using var same = await nobody.GetAsync(new Uri("git/acme/nowhere.git/info/refs?service=git-upload-pack", UriKind.Relative), Ct);
        Assert.Equal((HttpStatusCode.Unauthorized, "Basic realm=\"krate\""), (challenge.StatusCode, challenge.Headers.WwwAuthenticate.ToString()));
        Assert.Equal(await same.Content.ReadAsStringAsync(Ct), await challenge.Content.ReadAsStringAsync(Ct));
    }

    [Fact]
    public async Task Visibility_and_permission_decide_who_reads_and_who_pushes()
    {
        var (open, inner, secret) = (await world.NewRepositoryAsync("public"), await world.NewRepositoryAsync("internal"), await world.NewRepositoryAsync());
        await world.PermitAsync(secret, "lumi", "read");
        await world.PermitAsync(secret, "oskar", "write");
        await git.NewRepositoryAsync("source");

        Assert.True(await ReadsAsync(open, null) && await ReadsAsync(open, "oskar"));
        Assert.True(await ReadsAsync(inner, "mira") && !await ReadsAsync(inner, "oskar") && !await ReadsAsync(inner, null));
        Assert.True(await ReadsAsync(secret, "lumi") && await ReadsAsync(secret, "oskar") && !await ReadsAsync(secret, "mira"));
        Assert.Contains("may read", (await git.TryAsync("source", "push", world.UrlOf(secret.Name, "lumi"), "main")).Error, StringComparison.Ordinal);
        Assert.NotEqual(0, (await git.TryAsync("source", "push", world.UrlOf(open.Name, null), "main")).ExitCode);
        Assert.Equal(0, (await git.TryAsync("source", "push", world.UrlOf(secret.Name, "oskar"), "main")).ExitCode);
        var pushed = Assert.Single(await world.EventsAsync(secret.Name, "ref."));
        Assert.Equal(("oskar", "refs/heads/main"), (pushed.Body.Text("spec.actor.name"), pushed.Body.Text("spec.metadata.ref")));
    }

    [Fact]
    public async Task A_browser_session_is_no_credential_for_git()
    {
        var repository = await world.NewRepositoryAsync();
        var browser = world.Server.NewBrowser();
        await browser.SignInAsync();
        using var answer = await browser.Client.GetAsync(new Uri($"git/acme/{repository.Name}.git/info/refs?service=git-receive-pack", UriKind.Relative), Ct);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    /// <summary>git has begun to take the objects of a push, apart from the others.</summary>
    private bool Quarantined(string repository) => Directory.EnumerateDirectories(Path.Combine(world.DirectoryOf(repository), "objects"), "tmp_objdir-*").Any();

    /// <summary>Sends the first half and then nothing, until the connection is cut.</summary>
    private sealed class Half(byte[] body) : HttpContent
    {
        private readonly TaskCompletionSource sent = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Sent => sent.Task;

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.WriteAsync(body.AsMemory(0, body.Length / 2), cancellationToken);
            await stream.FlushAsync(cancellationToken);
            sent.SetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override bool TryComputeLength(out long length)
        {
            length = body.Length;
            return true;
        }
    }

    private static byte[] Random(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    private async Task FourHundredRefsAsync(string folder)
    {
        await git.NewRepositoryAsync(folder);
        await git.RunAsync(folder, "tag", "-a", "-m", "First", "v1");
        await git.RunAsync(folder, "tag", "light");
        await git.RunAsync(folder, "update-ref", "refs/notes/commits", "HEAD");
        await git.FeedAsync(folder, Enumerable.Range(0, 400).Select(i => string.Create(CultureInfo.InvariantCulture, $"create refs/heads/topic/{i % 10}/b{i} HEAD\n")), "update-ref", "--stdin");
    }

    private Task<string> RefsAsync(string folder) => git.RunAsync(folder, "for-each-ref", "--format=%(objectname) %(refname)");

    private async Task<bool> ReadsAsync(Resource repository, string? user) => (await git.TryAsync(".", "ls-remote", world.UrlOf(repository.Name, user))).ExitCode == 0;

    private static async Task GoneAsync(string folder, string pattern)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        for (var attempt = 0; attempt < 1000 && Directory.EnumerateDirectories(folder, pattern).Any(); attempt++) await timer.WaitForNextTickAsync(Ct);
        Assert.Empty(Directory.EnumerateDirectories(folder, pattern));
    }
}
