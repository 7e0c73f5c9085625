using System.Net;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Repositories;

/// <summary>Imports from a server that means harm: each ends, says why, and leaves neither files nor processes.</summary>
[Collection(typeof(ImpatientCollection))]
public sealed class HostileImportTests(ImpatientWorld world) : IAsyncLifetime
{
    private readonly HostileSource source = HostileSource.Start();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => source.DisposeAsync();

    [Theory]
    [InlineData("http://127.0.0.1:{0}/page", "private or reserved address")]
    [InlineData("http://[::ffff:127.0.0.1]:{0}/page", "private or reserved address")]
    [InlineData("http://169.254.169.254/latest/meta-data", "private or reserved address")]
    [InlineData("http://inside.localhost:{0}/page", "the host inside.localhost")]
    [InlineData("http://{1}:{0}/page", "the host ")]
    [InlineData("file:///etc/passwd", "file addresses are not imported from")]
    [InlineData("ext::sh -c id", "ext addresses are not imported from")]
    [InlineData("ssh://localhost/a.git", "ssh addresses are not imported from")]
    [InlineData("//[", "redirects to what is no address")]
    [InlineData("http://eve:secret@localhost:{0}/page", "is no git repository")]
    public async Task A_redirect_is_judged_as_the_address_is(string target, string reason)
    {
        var where = string.Format(System.Globalization.CultureInfo.InvariantCulture, target, source.Port, Dns.GetHostName());
        await RefusedAsync("redirect/" + Uri.EscapeDataString(where), reason);
    }

    [Theory]
    [InlineData("round", "redirects too often")]
    [InlineData("page", "is no git repository")]
    [InlineData("noise", "could not be reached")]
    [InlineData("lie", "git could not read the source")]
    [InlineData("half-list", "git could not read the source")]
    [InlineData("half-pack", "git could not fetch")]
    [InlineData("half-pack%20and%25", "git could not fetch")]
    public async Task What_is_no_repository_or_stops_half_way_is_told_apart(string path, string reason) => await RefusedAsync(path, reason);

    [Fact]
    public async Task What_never_ends_and_what_never_begins_is_ended()
    {
        await Task.WhenAll(
            RefusedAsync("endless-list", "more than an import may bring"),
            RefusedAsync("endless-pack", "more than an import may bring"),
            RefusedAsync("silent", "did not answer in time"),
            RefusedAsync("silent-list", "git could not read the source"));
    }

    [Fact]
    public async Task An_address_of_the_sixth_version_is_reached_when_it_is_allowed()
    {
        await using var six = HostileSource.Start(IPAddress.IPv6Loopback);
        await RefusedAtAsync($"http://[::1]:{six.Port}/half-pack", "git could not fetch");
    }

    [Fact]
    public async Task What_a_crash_left_of_an_import_goes_with_its_repository()
    {
        var repository = await world.NewRepositoryAsync();
        Directory.CreateDirectory(PreparedOf(repository)).CreateSubdirectory("objects");
        await world.Gateway.DeleteAsync(GitWorld.Admin, repository.Kind, repository.Namespace, repository.Name, new DeleteOptions(), TestContext.Current.CancellationToken);
        await world.UntilAsync("Repository", GitWorld.Namespace, repository.Name, r => r is null);
        Assert.False(Directory.Exists(PreparedOf(repository)));
    }

    private Task RefusedAsync(string path, string reason) => RefusedAtAsync($"http://localhost:{source.Port}/{path}", reason);

    private async Task RefusedAtAsync(string url, string reason)
    {
        var made = await world.NewRepositoryAsync(more: s => s["hosting"] = new JsonObject { ["importFrom"] = new JsonObject { ["url"] = url } }, wait: false);
        var ended = (await world.UntilAsync("Repository", GitWorld.Namespace, made.Name, r => r?.Body.Text("status.import.phase") is "Succeeded" or "Failed" && GitWorld.IsReady(r)))!;
        var message = ended.Body.Text("status.import.message")!;

        Assert.Equal("Failed", ended.Body.Text("status.import.phase"));
        Assert.True(message.Contains(reason, StringComparison.Ordinal), message);
        Assert.DoesNotContain("secret", message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(PreparedOf(made)));
        Assert.Empty(ProcessesOf(PreparedOf(made)));
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(world.DirectoryOf(made.Name), "objects"), "*", SearchOption.AllDirectories));
    }

    private string PreparedOf(Resource repository) => Path.Combine(Path.GetDirectoryName(world.DirectoryOf(repository.Name))!, $".{repository.Name}-{repository.Uid}.new");

    /// <summary>git and all that it starts have the directory in their command or their environment.</summary>
    private static List<string> ProcessesOf(string directory) =>
        [.. HostProcesses.All().Where(p => (p.Command + p.Environment).Contains(directory, StringComparison.Ordinal)).Select(p => p.Command)];
}
