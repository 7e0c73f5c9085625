using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Git;
using Krate.Core.Repositories;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Microsoft.Extensions.DependencyInjection;

namespace Krate.Core.Kinds.Work;

/// <summary>
/// Applies the suggestion of a comment as a commit on the source branch: by whoever may push there, under the rules of a push, and only
/// while the lines are as they were when it was made.
/// </summary>
/// <remarks>Body: <c>headSha</c> (refused when the head is another one).</remarks>
internal sealed class SuggestionAction(IServiceProvider services, KindCatalog catalog, IAuthorizer authorizer, BranchWriter branches) : IResourceAction
{
    private const int MaxFileBytes = 4 << 20;

    public string Kind => "Comment";

    public string Name => "apply";

    /// <summary>Whoever may take part; the push is asked for when the repository is known.</summary>
    public (string Verb, string Subresource) Access => ("create", "");

    private IResourceGateway Gateway => services.GetRequiredService<IResourceGateway>();

    public async Task<JsonObject> RunAsync(Actor actor, Resource target, JsonObject body, CancellationToken ct)
    {
        var pull = await PullOfAsync(actor, target, ct);
        var (repository, git) = branches.Open(pull.Namespace, PullRequestFacts.SourceOf(pull));
        var request = new AccessRequest { Verb = "push", Group = WellKnown.ApiGroup, Resource = "repositories", Namespace = repository.Namespace, Name = repository.Name };
        if (authorizer.Decide(actor, request) is { Allowed: false } denied) throw ApiException.Forbidden($"repositories \"{repository.Name}\" is forbidden: {denied.Reason}");
        return await BranchWriter.AnswerAsync(target, "apply the edit", async () =>
        {
            var reference = BranchNames.Full(pull.Body.Text("spec.sourceRef")!);
            var head = await git.FindRefAsync(reference, ct) ?? throw ApiException.Conflict(target.Kind, target.Name, "the source branch is not there");
            if (body.Text("headSha") is { Length: > 0 } expected && expected != head) throw ApiException.Conflict(target.Kind, target.Name, $"the head is {head[..12]} by now; look at what has come since");
            var change = await ChangeAsync(target, git, head, ct);
            var by = branches.PersonOf(actor.User);
            var commit = await git.CommitFilesAsync(head, [change], MessageOf(target, actor), by, by, by.Time, ct);
            var update = new RefUpdate(reference, head, commit);
            await branches.JudgeAsync(actor, target, Name, repository, git, update, RefChangeSource.Push, ct);
            await branches.MoveAsync(actor, target, Name, repository, git, update, ct);
            return await TellAsync(actor, target, commit);
        });
    }

    private async Task<Resource> PullOfAsync(Actor actor, Resource comment, CancellationToken ct)
    {
        if (comment.Body.At("spec.suggestion") is null || comment.Body.Text("spec.path") is null)
            throw ApiException.Invalid(comment.Kind, comment.Name, new FieldError("FieldValueRequired", "spec.suggestion", "this comment suggests nothing"));
        if (comment.Body.Text("status.appliedSha") is { } done) throw ApiException.Conflict(comment.Kind, comment.Name, $"it was applied with {done[..Math.Min(12, done.Length)]}");
        if (comment.Body.Text("spec.targetRef.kind") != "PullRequest")
            throw ApiException.Invalid(comment.Kind, comment.Name, new FieldError("FieldValueInvalid", "spec.targetRef.kind", "only suggestions on a PullRequest are applied"));
        var pull = await Gateway.GetAsync(actor, catalog["PullRequest"], comment.Namespace, comment.Body.Text("spec.targetRef.name")!, ct);
        return pull.Body.Text("status.phase") is WorkPhases.Open or null ? pull : throw ApiException.Conflict(comment.Kind, comment.Name, $"{pull.Name} is {pull.Body.Text("status.phase")!.ToLowerInvariant()}");
    }

    /// <summary>The file with the suggestion in it.</summary>
    private static async Task<FileChange> ChangeAsync(Resource comment, GitRepository git, string head, CancellationToken ct)
    {
        var (path, last) = (comment.Body.Text("spec.path")!, (int)comment.Body.Whole("spec.line")!.Value);
        var first = (int)(comment.Body.Whole("spec.startLine") ?? last);
        var maps = await git.LineMapsAsync(comment.Body.Text("spec.commit") ?? head, head, [path], ct);
        if (maps[path].Of(first, last) is not { } lines) throw ApiException.Conflict(comment.Kind, comment.Name, $"these lines of {path} have changed since it was suggested");
        if (await git.FindEntryAsync(head, path, ct) is not { Kind: TreeEntryKind.File } entry || await git.ReadBlobAsync(entry.Id, MaxFileBytes, ct) is not { } bytes)
            throw ApiException.Conflict(comment.Kind, comment.Name, $"{path} is not a file that can be edited here");
        if (LineEdit.Replace(bytes, lines.First, lines.Last, comment.Body.Text("spec.suggestion") ?? "") is not { } edited) throw ApiException.Conflict(comment.Kind, comment.Name, $"{path} has no line {lines.Last}");
        return edited.AsSpan().SequenceEqual(bytes) ? throw ApiException.Conflict(comment.Kind, comment.Name, $"{path} has it already") : new FileChange(path, edited);
    }

    private string MessageOf(Resource comment, Actor actor)
    {
        var (path, author) = (comment.Body.Text("spec.path")!, comment.Body.Text("spec.author") ?? actor.User);
        var message = new StringBuilder($"Apply a suggestion to {path[(path.LastIndexOf('/') + 1)..]}\n");
        if (author == actor.User) return message.ToString();
        var person = branches.PersonOf(author);
        return message.Append($"\nCo-authored-by: {person.Name} <{person.Email}>\n").ToString();
    }

    private async Task<JsonObject> TellAsync(Actor actor, Resource comment, string commit)
    {
        var status = new JsonObject { ["appliedSha"] = commit, ["appliedBy"] = actor.User };
        var (told, _) = await Gateway.PatchAsync(
            PrivilegedAccess.Work(actor), comment.Kind, comment.Namespace, comment.Name, new Patch(PatchType.Merge, new JsonObject { ["status"] = status }, "krate"),
            new WriteOptions { Subresource = "status" }, CancellationToken.None);
        return told.Body.Copy();
    }
}
