using Krate.Core.Repositories;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Repositories;

/// <summary>Every moved ref is one event, however it moved and whoever was there to see it.</summary>
[Collection(typeof(GitCollection))]
public sealed class RecordedRefsTests(GitWorld world) : IDisposable
{
    private readonly GitClient git = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => git.Dispose();

    [Fact]
    public async Task What_happened_unseen_is_told_once_and_in_order()
    {
        var (repository, ids) = await CommitsAsync(4);
        await MoveAsync(repository, $"create refs/heads/main {ids[0]}", $"create refs/heads/gone {ids[0]}", $"create refs/heads/back {ids[0]}");
        await RecordAsync(repository);
        await MoveAsync(repository, $"update refs/heads/main {ids[1]}");
        await MoveAsync(repository, $"update refs/heads/main {ids[2]}");
        await MoveAsync(repository, $"delete refs/heads/gone {ids[0]}");
        await MoveAsync(repository, $"create refs/heads/gone {ids[3]}");
        await MoveAsync(repository, $"update refs/heads/back {ids[1]}");
        await MoveAsync(repository, $"update refs/heads/back {ids[0]}");
        await RecordAsync(repository);
        await RecordAsync(repository);
        Assert.Equal(
            [
                "ref.created back 0", "ref.updated back 1", "ref.updated back 0",
                "ref.created gone 0", "ref.deleted gone -", "ref.created gone 3",
                "ref.created main 0", "ref.updated main 1", "ref.updated main 2",
            ],
            await ToldAsync(repository, ids));
    }

    [Fact]
    public async Task A_log_entry_of_an_update_that_git_never_made_is_not_told()
    {
        var (repository, ids) = await CommitsAsync(3);
        await MoveAsync(repository, $"create refs/heads/main {ids[0]}");
        await RecordAsync(repository);
        // As a git that died between its log and its ref leaves it.
        var log = Path.Combine(world.DirectoryOf(repository.Name), "logs/refs/heads/main");
        await File.AppendAllTextAsync(log, $"{ids[0]} {ids[1]} mira <01abc@push.krate.invalid> 1700000000 +0000\tpush\n", Ct);
        await RecordAsync(repository);
        Assert.Equal(["ref.created main 0"], await ToldAsync(repository, ids));
        await MoveAsync(repository, $"update refs/heads/main {ids[2]}");
        await RecordAsync(repository);
        Assert.Equal(["ref.created main 0", "ref.updated main 2"], await ToldAsync(repository, ids));
    }

    [Fact]
    public async Task Many_who_record_at_once_tell_each_update_once()
    {
        var (repository, ids) = await CommitsAsync(2);
        await MoveAsync(repository, [.. Enumerable.Range(0, 50).Select(i => $"create refs/heads/b{i} {ids[i % 2]}")]);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => RecordAsync(repository)));
        Assert.Equal(50, (await world.EventsAsync(repository.Name, "ref.")).Count);
    }

    [Fact]
    public async Task A_deletion_is_told_with_the_name_of_who_pushed_it()
    {
        var repository = await world.NewRepositoryAsync();
        await world.PermitAsync(repository, "lumi", "write");
        await git.NewRepositoryAsync("work");
        await git.RunAsync("work", "push", "--quiet", world.UrlOf(repository.Name, "lumi"), "main", "main:topic");
        await git.RunAsync("work", "push", "--quiet", world.UrlOf(repository.Name, "lumi"), ":topic");
        var deleted = Assert.Single(await world.EventsAsync(repository.Name, "ref.deleted"));
        Assert.Equal(("lumi", "git"), (deleted.Body.Text("spec.actor.name"), deleted.Body.Text("spec.source")));
    }

    private Task<int> RecordAsync(Resource repository) => world.Server.Service<RefRecorder>().RecordAsync("acme", repository.Namespace, repository.Name, null, Ct);

    private Task MoveAsync(Resource repository, params string[] commands) =>
        git.FeedAsync(".", commands.Select(c => c + "\n"), "--git-dir=" + world.DirectoryOf(repository.Name), "update-ref", "--stdin");

    private async Task<IReadOnlyList<string>> ToldAsync(Resource repository, List<string> ids) =>
    [
        // Each ref's in order: the control plane may have told of some before the others moved.
        .. (await world.EventsAsync(repository.Name, "ref.")).OrderBy(e => e.Body.Text("spec.metadata.ref"), StringComparer.Ordinal).Select(e =>
            $"{e.Body.Text("spec.type")} {e.Body.Text("spec.metadata.ref")!.Split('/')[^1]} {(ids.IndexOf(e.Body.Text("spec.metadata.after")!) is var i and >= 0 ? i.ToString(System.Globalization.CultureInfo.InvariantCulture) : "-")}"),
    ];

    /// <summary>A hosted repository with the objects of some commits and no refs.</summary>
    private async Task<(Resource Repository, List<string> Ids)> CommitsAsync(int count)
    {
        var repository = await world.NewRepositoryAsync();
        await git.NewRepositoryAsync("source");
        for (var i = 1; i < count; i++) await git.CommitAsync("source", "a.txt", $"{i}\n");
        await git.RunAsync(".", "--git-dir=" + world.DirectoryOf(repository.Name), "fetch", "--quiet", git.In("source"), "main:refs/krate/keep");
        var ids = (await git.RunAsync("source", "rev-list", "--reverse", "main")).Split('\n').ToList();
        await git.RunAsync(".", "--git-dir=" + world.DirectoryOf(repository.Name), "update-ref", "-d", "refs/krate/keep");
        return (repository, ids);
    }
}
