using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Git;
using Krate.Core.Kinds;
using Krate.Core.Kinds.Work;
using Krate.Core.Resources;
using Krate.Tests.Repositories;
using Xunit;

namespace Krate.Tests.Work;

/// <summary>What is said about lines, and edits that are suggested for them, with a real git and the real gateway.</summary>
[Collection(typeof(GitCollection))]
public sealed class SuggestionTests(GitWorld world) : PullRequestWork(world)
{
    private const string Path = "src/list.txt";

    private static KindDefinition Comments => KindTable.Catalog["Comment"];

    [Fact]
    public async Task A_suggestion_becomes_a_commit_of_whoever_applies_it_with_its_author_named()
    {
        var (repository, pull) = await ListAsync("one\r\ntwo\r\nthree\r\n");
        await World.PermitAsync(repository, "lumi", "write");
        var comment = await SayAsync(pull, "mira", line: 3, start: 2, suggestion: "zwei\ndrei und\nvier");

        Assert.Equal(403, (await Assert.ThrowsAsync<ApiException>(() => ActAsync(comment, "apply", "mira"))).Code);
        var applied = await ActAsync(comment, "apply", "lumi");

        await Git.RunAsync("work", "fetch", "--quiet", World.UrlOf(repository.Name), "change");
        Assert.Equal((applied.Text("status.appliedSha"), "lumi"), (await Git.RunAsync("work", "rev-parse", "FETCH_HEAD"), applied.Text("status.appliedBy")));
        Assert.Equal("one\r\nzwei\r\ndrei und\r\nvier\r\n", (await Git.TryAsync("work", "show", "FETCH_HEAD:" + Path)).Output);
        var log = await Git.RunAsync("work", "log", "-1", "--format=%an|%cn|%P|%B", "FETCH_HEAD");
        Assert.StartsWith($"lumi|lumi|{await HeadAsync("change")}|Apply a suggestion to list.txt", log, StringComparison.Ordinal);
        Assert.Contains("Co-authored-by: mira <mira@acme.example>", log, StringComparison.Ordinal);
        Assert.Equal("lumi", (await World.EventsAsync(repository.Name, "ref."))[^1].Body.Text("spec.actor.name"));
        Assert.Contains("it was applied with", (await Assert.ThrowsAsync<ApiException>(() => ActAsync(comment, "apply", "lumi"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_suggestion_follows_its_lines_and_is_refused_when_they_have_changed()
    {
        var (repository, pull) = await ListAsync("one\ntwo\nthree\n");
        var moved = await SayAsync(pull, "mira", line: 3, suggestion: "3");
        var changed = await SayAsync(pull, "mira", line: 2, suggestion: "2");
        await Git.CommitAsync("work", Path, "zero\none\nzwei\nthree\n");
        await Git.RunAsync("work", "push", "--quiet", World.UrlOf(repository.Name), "change");

        Assert.Contains("have changed since", (await Assert.ThrowsAsync<ApiException>(() => ActAsync(changed, "apply", "max"))).Message, StringComparison.Ordinal);
        await ActAsync(moved, "apply", "max");
        await Git.RunAsync("work", "fetch", "--quiet", World.UrlOf(repository.Name), "change");
        Assert.Equal("zero\none\nzwei\n3", await Git.RunAsync("work", "show", "FETCH_HEAD:" + Path));
        var head = await UntilHeadAsync(pull, await Git.RunAsync("work", "rev-parse", "FETCH_HEAD"));
        var threads = ReviewThreads.Of([moved, changed]);
        var places = await ReviewThreads.PlaceAsync(new GitRepository(World.DirectoryOf(repository.Name)), threads, head.Body.Text("status.baseSha")!, await HeadAsync("change"), Ct);
        Assert.Equal(((4, 4), null), (places[moved.Uid], places[changed.Uid]));
    }

    [Fact]
    public async Task A_thread_is_resolved_and_opened_again_by_its_first_comment_only()
    {
        var (_, pull) = await ListAsync("one\ntwo\n");
        var first = await SayAsync(pull, "mira", line: 1);
        var answer = await CreateAsync("Comment", new() { ["targetRef"] = TargetOf(pull), ["body"] = "Why?", ["inReplyTo"] = first.Name }, "lumi");
        var second = await CreateAsync("Comment", new() { ["targetRef"] = TargetOf(pull), ["body"] = "So.", ["inReplyTo"] = answer.Name }, "mira");

        Assert.Equal([(first.Name, $"{answer.Name} {second.Name}")], ReviewThreads.Of([second, answer, first]).Select(t => (t.Root.Name, string.Join(' ', t.Answers.Select(a => a.Name)))));
        Assert.Equal(422, (await Assert.ThrowsAsync<ApiException>(() => ActAsync(answer, "resolve", "lumi"))).Code);
        var resolved = await ActAsync(first, "resolve", "lumi");
        Assert.Equal(("Resolved", "lumi"), (resolved.Text("status.phase"), resolved.Text("status.resolvedBy")));
        var open = await ActAsync(first, "reopen", "mira");
        Assert.Equal(("Open", null), (open.Text("status.phase"), open.Text("status.resolvedBy")));
    }

    [Fact]
    public async Task Whoever_said_something_changes_it_and_takes_it_back_and_nobody_else_does()
    {
        var (_, pull) = await ListAsync("one\n");
        var said = await SayAsync(pull, "mira", line: 1);
        JsonObject Text(string text) => new() { ["body"] = text };

        Assert.Equal(403, (await Assert.ThrowsAsync<ApiException>(() => ActAsync(said, "edit", "lumi", Text("Mine.")))).Code);
        Assert.Equal(403, (await Assert.ThrowsAsync<ApiException>(() => ActAsync(said, "withdraw", "lumi"))).Code);
        Assert.Equal(422, (await Assert.ThrowsAsync<ApiException>(() => ActAsync(said, "edit", "mira", Text(" ")))).Code);
        Assert.Equal(422, (await Assert.ThrowsAsync<ApiException>(() => ActAsync(said, "edit", "mira", Text(new string('x', 300_000))))).Code);
        Assert.Equal(("So, @lumi.", "lumi"), await ActAsync(said, "edit", "mira", Text("So, @lumi.")) is var now ? (now.Text("spec.body"), string.Join(' ', now.Texts("status.mentions"))) : default);
        await ActAsync(said, "withdraw", "mira");
        Assert.Null(await World.FindAsync("Comment", said.Namespace, said.Name));
    }

    [Theory]
    [InlineData("""{"line":1}""", "spec.path")]
    [InlineData("""{"path":"a","suggestion":"x"}""", "spec.line")]
    [InlineData("""{"path":"a","line":2,"startLine":3}""", "spec.startLine")]
    [InlineData("""{"path":"a","line":2,"side":"left","suggestion":"x"}""", "spec.side")]
    [InlineData("""{"path":"a","line":2,"side":"middle"}""", "spec.side")]
    [InlineData("""{"path":"a","line":0}""", "spec.line")]
    [InlineData("""{"path":"a","line":2,"commit":"HEAD"}""", "spec.commit")]
    public async Task A_remark_that_cannot_be_on_lines_names_the_field(string fields, string field)
    {
        var (_, pull) = await ListAsync("one\n");
        var spec = KrateJson.ParseObject(fields).Copy();
        (spec["targetRef"], spec["body"]) = (TargetOf(pull), "Hm.");

        var refused = await Assert.ThrowsAsync<ApiException>(() => CreateAsync("Comment", spec, "mira"));

        Assert.Equal((422, field), (refused.Code, refused.Causes[0].Field));
    }

    /// <summary>A rule, and whether it lets a push, a suggested edit and a merge bring the same line.</summary>
    public static TheoryData<string, bool, bool, bool> Rules => new()
    {
        { "{}", true, true, true },
        { """{"requirePullRequest":true}""", false, false, true },
        { """{"policy":true,"maxFileBytes":10}""", false, false, false },
        { """{"policy":true,"maxFileBytes":10,"mode":"audit"}""", true, true, true },
        { """{"policy":true,"requireSignedCommits":true}""", false, false, false },
        { """{"policy":true,"requireLinearHistory":true}""", true, true, false },
    };

    [Theory]
    [MemberData(nameof(Rules))]
    public async Task One_rule_answers_a_push_a_suggested_edit_and_a_merge(string rule, bool push, bool edit, bool merge)
    {
        var (repository, edited) = await ListAsync("one\ntwo\n");
        var suggestion = await SayAsync(edited, "mira", line: 2, suggestion: "a longer line");
        await Git.RunAsync("work", "switch", "--quiet", "-c", "merged", "main");
        await Git.CommitAsync("work", Path, "one\na longer line\n");
        await Git.RunAsync("work", "push", "--quiet", World.UrlOf(repository.Name), "merged", "main:pushed");
        var pull = await OpenAsync(repository, "lumi", "merged");
        var spec = KrateJson.ParseObject(rule).Copy();
        var kind = spec.Remove("policy") ? "RefPolicy" : "BranchProtection";
        (spec["repository"], spec["refs"]) = (repository.Name, new JsonArray("refs/heads/*"));
        await World.CreateAsync(kind, repository.Namespace, repository.Name + "-rule", spec);

        Assert.Equal(push, (await Git.TryAsync("work", "push", "--quiet", World.UrlOf(repository.Name), "merged:pushed")).ExitCode == 0);
        Assert.Equal(edit, await IsAdmittedAsync(() => ActAsync(suggestion, "apply", "max")));
        Assert.Equal(merge, await IsAdmittedAsync(() => MergeAsync(pull, "max")));

        static async Task<bool> IsAdmittedAsync<T>(Func<Task<T>> change)
        {
            try
            {
                await change();
                return true;
            }
            catch (ApiException e) when (e.Code == 409 && e.Message.Contains("refuses it", StringComparison.Ordinal))
            {
                return false;
            }
        }
    }

    /// <summary>A pull request of a branch with a file of some lines.</summary>
    private async Task<(Resource Repository, Resource Pull)> ListAsync(string lines)
    {
        var repository = await PushedAsync();
        await Git.CommitAsync("work", Path, lines);
        await Git.RunAsync("work", "push", "--quiet", World.UrlOf(repository.Name), "change");
        return (repository, await UntilHeadAsync(await OpenAsync(repository, "lumi"), await HeadAsync("change")));
    }

    private static JsonObject TargetOf(Resource pull) => new() { ["kind"] = "PullRequest", ["name"] = pull.Name };

    private async Task<Resource> SayAsync(Resource pull, string who, int line, int? start = null, string? suggestion = null) => await CreateAsync("Comment", new()
    {
        ["targetRef"] = TargetOf(pull), ["body"] = "Like this.", ["path"] = Path, ["side"] = "right", ["line"] = line, ["startLine"] = start, ["suggestion"] = suggestion, ["commit"] = pull.Body.Text("status.headSha"),
    }, who);

    private Task<JsonObject> ActAsync(Resource comment, string action, string user, JsonObject? body = null) =>
        World.Gateway.ActAsync(World.ActorOf(user), Comments, comment.Namespace, comment.Name, action, body, Ct);
}
