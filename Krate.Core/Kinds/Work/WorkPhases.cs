using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Microsoft.Extensions.DependencyInjection;

namespace Krate.Core.Kinds.Work;

/// <summary>Phases of issues, pull requests and threads, and the actions that change them.</summary>
public static class WorkPhases
{
    public const string Open = "Open";
    public const string Closed = "Closed";
    public const string Merged = "Merged";

    public const string Resolved = "Resolved";

    /// <summary>Name of the action.</summary>
    public const string Close = "close";

    /// <summary>Name of the action.</summary>
    public const string Reopen = "reopen";

    /// <summary>Name of the action, and the verb for it and for opening a thread again.</summary>
    public const string Resolve = "resolve";

    internal static IServiceCollection AddWorkActions(this IServiceCollection services)
    {
        foreach (var kind in new[] { "Issue", "PullRequest" })
        {
            Add(new(kind, Close, "update", Closed, "closed", IsBegin: true));
            Add(new(kind, Reopen, "update", Open, "closed", IsBegin: false));
        }

        Add(new("Comment", Resolve, Resolve, Resolved, "resolved", IsBegin: true));
        Add(new("Comment", Reopen, Resolve, Open, "resolved", IsBegin: false));
        foreach (var name in new[] { OwnCommentAction.Edit, OwnCommentAction.Withdraw }) services.AddSingleton<IResourceAction>(s => new OwnCommentAction(s, name));
        return services.AddSingleton<PullRequestFacts>().AddSingleton<BranchWriter>().AddSingleton<IResourceAction, MergeAction>().AddSingleton<IResourceAction, SuggestionAction>();

        void Add(PhaseChange change) => services.AddSingleton<IResourceAction>(s => new PhaseAction(s, s.GetRequiredService<TimeProvider>(), change));
    }
}

/// <param name="Verb">What RBAC is asked for, on the kind.</param>
/// <param name="Word">Begins the fields that say who did it and when.</param>
/// <param name="IsBegin">False: those fields are cleared.</param>
internal sealed record PhaseChange(string Kind, string Name, string Verb, string Phase, string Word, bool IsBegin);

/// <summary>Closes, resolves or opens again. Doing it twice is doing it once.</summary>
internal sealed class PhaseAction(IServiceProvider services, TimeProvider time, PhaseChange change) : IResourceAction
{
    public string Kind => change.Kind;

    public string Name => change.Name;

    public (string Verb, string Subresource) Access => (change.Verb, "");

    /// <summary>The gateway holds the actions, so it is asked for only when one runs.</summary>
    private IResourceGateway Gateway => services.GetRequiredService<IResourceGateway>();

    public async Task<JsonObject> RunAsync(Actor actor, Resource target, JsonObject body, CancellationToken ct)
    {
        var phase = target.Body.Text("status.phase") ?? WorkPhases.Open;
        if (phase == WorkPhases.Merged) throw ApiException.Conflict(target.Kind, target.Name, "it was merged, and stays so");
        if (Kind == "Comment" && string.IsNullOrEmpty(target.Body.Text("spec.path")))
            throw ApiException.Invalid(target.Kind, target.Name, new FieldError("FieldValueForbidden", "spec.path", "only a remark on lines of a file is resolved"));
        if (Kind == "Comment" && target.Body.Text("spec.inReplyTo") is { Length: > 0 } thread)
            throw ApiException.Invalid(target.Kind, target.Name, new FieldError("FieldValueForbidden", "spec.inReplyTo", $"this is an answer; the thread that is resolved begins with {thread}"));
        if (phase == change.Phase) return target.Body.Copy();
        var status = new JsonObject
        {
            ["phase"] = change.Phase,
            [change.Word + "By"] = change.IsBegin ? actor.User : null,
            [change.Word + "At"] = change.IsBegin ? Timestamps.Format(time.GetUtcNow()) : null,
        };
        if (Kind == "Issue") status["closedWith"] = null;
        // The version that was decided on: a merge that came between is not undone.
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = target.Body.Text("metadata.resourceVersion") }, ["status"] = status };
        var (changed, _) = await Gateway.PatchAsync(
            PrivilegedAccess.Work(actor), target.Kind, target.Namespace, target.Name, new Patch(PatchType.Merge, patch, "krate"), new WriteOptions { Subresource = "status" }, ct);
        return changed.Body.Copy();
    }
}
