using System.Diagnostics;
using System.Net.Sockets;
using Krate.Core.Gateway;
using Krate.Core.Repositories;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Repositories;

/// <summary>The pre-receive hook with the real git, where what it asks does not answer as it should.</summary>
[Collection(typeof(GitCollection))]
public sealed class HookTests(GitWorld world) : IDisposable
{
    private readonly GitClient git = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private PushGate Gate => world.Server.Service<PushGate>();

    public void Dispose() => git.Dispose();

    [Fact]
    public async Task A_push_without_a_gate_to_ask_is_refused()
    {
        var repository = await PreparedAsync();
        var refused = await PushLocallyAsync(repository, new() { [PushGate.SocketVariable] = git.In("nobody.sock"), [PushGate.TokenVariable] = "x" });
        Assert.Contains("nobody could judge this push", refused, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_push_whose_gate_closes_without_an_answer_is_refused()
    {
        var repository = await PreparedAsync();
        using var silent = Listen("silent.sock");
        var closing = Task.Run(async () => (await silent.AcceptAsync(Ct)).Dispose(), Ct);
        var refused = await PushLocallyAsync(repository, new() { [PushGate.SocketVariable] = git.In("silent.sock"), [PushGate.TokenVariable] = "x" });
        await closing;
        Assert.Contains("nobody could judge this push", refused, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_push_whose_gate_says_nothing_is_refused_when_the_time_is_up()
    {
        var repository = await PreparedAsync();
        using var mute = Listen("mute.sock");
        var waiting = mute.AcceptAsync(Ct).AsTask();
        var refused = await PushLocallyAsync(repository, new() { [PushGate.SocketVariable] = git.In("mute.sock"), [PushGate.TokenVariable] = "x", [PushGate.PatienceVariable] = "1" });
        (await waiting).Dispose();
        Assert.Contains("nobody could judge this push", refused, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_push_whose_hook_is_killed_is_refused()
    {
        var repository = await PreparedAsync();
        using var slow = Listen("slow.sock");
        var killing = Task.Run(
            async () =>
            {
                using var asked = await slow.AcceptAsync(Ct);
                // The hook is git's grandchild: the only process with this socket's path in its environment that waits now.
                foreach (var pid in HooksWith(git.In("slow.sock"))) Process.GetProcessById(pid).Kill();
            }, Ct);
        var refused = await PushLocallyAsync(repository, new() { [PushGate.SocketVariable] = git.In("slow.sock"), [PushGate.TokenVariable] = "x" });
        await killing;
        Assert.Contains("pre-receive hook declined", refused, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_of_another_push_or_of_one_that_has_asked_is_refused()
    {
        var repository = await PreparedAsync();
        var hosted = await world.Server.Service<HostedRepositories>().OpenAsync(GitWorld.Admin, "acme", repository.Name, Ct);
        string[] variables = [PushGate.SocketVariable, PushGate.TokenVariable];
        using (var session = Gate.Open(GitWorld.Admin, hosted))
        {
            var environment = session.Environment.ToDictionary();
            Assert.Contains("not known here", await PushLocallyAsync(repository, new() { [variables[0]] = environment[variables[0]], [variables[1]] = new string('0', 64) }), StringComparison.Ordinal);
            await PushLocallyAsync(repository, environment, refused: false);
            await git.CommitAsync("work", "again.txt", "again\n");
            Assert.Contains("not known here", await PushLocallyAsync(repository, environment), StringComparison.Ordinal);
        }

        await world.Server.Service<RefRecorder>().RecordAsync("acme", repository.Namespace, repository.Name, null, Ct);
    }

    [Fact]
    public async Task Hooks_and_settings_inside_a_repository_never_run()
    {
        var repository = await PreparedAsync();
        var mark = git.In("ran");
        var hooks = Directory.CreateDirectory(Path.Combine(world.DirectoryOf(repository.Name), "hooks"));
        foreach (var name in (string[])["pre-receive", "update", "post-receive", "post-update", "reference-transaction", "proc-receive"])
        {
            var file = Path.Combine(hooks.FullName, name);
            await File.WriteAllTextAsync(file, $"#!/bin/sh\ntouch '{mark}'\n", Ct);
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        await git.RunAsync("work", "push", "--quiet", world.UrlOf(repository.Name), "main");
        await git.RunAsync(".", "clone", "--quiet", world.UrlOf(repository.Name), "copy");
        Assert.False(File.Exists(mark));
    }

    private static IEnumerable<int> HooksWith(string socket) =>
        HostProcesses.All().Where(p => p.Environment.Contains(socket, StringComparison.Ordinal) && p.Command.Contains("Krate.Web", StringComparison.Ordinal)).Select(p => p.Id);

    private Socket Listen(string name)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(git.In(name)));
        socket.Listen();
        return socket;
    }

    private async Task<Resource> PreparedAsync()
    {
        await git.NewRepositoryAsync("work");
        return await world.NewRepositoryAsync();
    }

    /// <summary>Pushes by path with Krate's hook, as receive-pack would run it.</summary>
    /// <returns>What git said.</returns>
    private async Task<string> PushLocallyAsync(Resource repository, Dictionary<string, string> environment, bool refused = true)
    {
        var directory = world.DirectoryOf(repository.Name);
        var before = await git.RunAsync(".", "--git-dir=" + directory, "for-each-ref");
        var variables = environment.Select(v => $"{v.Key}={v.Value}");
        using var process = Process.Start(new ProcessStartInfo("env", [.. variables, "git", "push", "--receive-pack", $"git -c core.hooksPath={Gate.Hooks} receive-pack", directory, "main"])
        {
            WorkingDirectory = git.In("work"),
            RedirectStandardError = true,
        })!;
        var said = await process.StandardError.ReadToEndAsync(Ct);
        await process.WaitForExitAsync(Ct);
        Assert.Equal(refused, process.ExitCode != 0);
        if (refused) Assert.Equal(before, await git.RunAsync(".", "--git-dir=" + directory, "for-each-ref"));
        Assert.Empty(Directory.EnumerateDirectories(Path.Combine(directory, "objects"), "tmp_objdir-*"));
        return said;
    }
}
