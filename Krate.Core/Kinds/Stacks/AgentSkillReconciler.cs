using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Krate.Core.ControlPlane;
using Krate.Core.Git;
using Krate.Core.Gateway;
using Krate.Core.Repositories;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Stacks;

/// <summary>Resolves a skill's source to a commit and a digest, and looks through what it would add to prompts. A push to its repository wakes it.</summary>
internal sealed class AgentSkillReconciler(KindCatalog catalog, HostedRepositories repositories) : IReconciler
{
    public const string SourceResolved = "SourceResolved";
    public const string Unresolved = "SkillSourceUnresolved";
    private readonly KindDefinition hosted = catalog["Repository"];

    /// <summary>What a skill and its repository were when it was last looked at: without a change no git is asked.</summary>
    private readonly ConcurrentDictionary<ResourceKey, string> seen = new();

    public string Name => "agent-skill";

    public KindDefinition For { get; } = catalog["AgentSkill"];

    public IReadOnlyList<WakeUp> WakeUps => [new(hosted, (repository, cache) => cache.List(For, repository.Namespace).Where(s => s.Body.Text("spec.sourceRef.repository") == repository.Name).Select(s => s.Key))];

    public async Task<Outcome> ReconcileAsync(ResourceKey key, Resource? resource, ReconcileContext context, CancellationToken ct)
    {
        if (resource is null or { IsDeleting: true })
        {
            seen.TryRemove(key, out _);
            return Outcome.Done;
        }

        var repository = resource.Body.Text("spec.sourceRef.repository") is { Length: > 0 } name ? context.Cache.Get(hosted, resource.Namespace, name) : null;
        var now = $"{resource.Uid} {resource.Generation} {repository?.Uid} {repository?.Version}";
        if (seen.TryGetValue(key, out var before) && before == now && resource.FindCondition(Condition.Ready) is not null) return Outcome.Done;
        await ReportAsync(resource, await LookAsync(resource, context, ct), context, ct);
        seen[key] = now;
        return Outcome.Done;
    }

    private async Task<Findings> LookAsync(Resource skill, ReconcileContext context, CancellationToken ct)
    {
        var fragment = skill.Body.Text("spec.promptFragment") ?? "";
        (string, string)[] own = fragment.Length > 0 ? [("promptFragment", fragment)] : [];
        switch (skill.Body.Text("spec.format"))
        {
            case "inline":
                return new(new(SourceResolved, Condition.True, "Inline", "The text is in the skill itself."), null, ContentDigest.Of(fragment), own);
            case "package":
                return new(new(SourceResolved, Condition.Unknown, "NotEvaluated", "Packages are not read; put the skill into a repository (format directory)."), null, null, own);
            default:
                break;
        }

        try
        {
            var (commit, files) = await ReadAsync(skill, context, ct);
            return new(new(SourceResolved, Condition.True, "Resolved", $"It is read at commit {commit[..12]}."), commit, files.Digest, [.. own, .. files.Texts]);
        }
        catch (Exception e) when (e is SkillSourceException or ApiException { Code: 404 })
        {
            return new(new(SourceResolved, Condition.False, Unresolved, $"Its source cannot be read: {e.Message}."), null, null, own);
        }
    }

    private async Task<(string Commit, SkillFiles Files)> ReadAsync(Resource skill, ReconcileContext context, CancellationToken ct)
    {
        var from = skill.Body.At("spec.sourceRef");
        var repository = await repositories.OpenAsync(context.Actor, skill.Body.Text("spec.organizationRef") ?? "", from.Text("repository") ?? "", ct);
        if (!repository.IsHosted) throw new SkillSourceException($"Repository {repository.Name} is not hosted yet");
        var named = from.Text("ref") is { Length: > 0 } given ? given : repository.DefaultBranch;
        var commit = await CommitOfAsync(repository.Git, named, ct) ?? throw new SkillSourceException($"there is no branch, tag or commit {named} in Repository {repository.Name}");
        return (commit, await SkillFiles.ReadAsync(repository.Git, commit, from.Text("path") ?? "", skill.Body.Text("spec.format") == "directory", ct));
    }

    /// <summary>Names only, no expressions: what is read must be what the ref says.</summary>
    private static async Task<string?> CommitOfAsync(GitRepository git, string name, CancellationToken ct) =>
        await git.ResolveAsync(name.StartsWith("refs/heads/", StringComparison.Ordinal) ? name["refs/heads/".Length..] : name, ct) is { Path: "" } found ? found.Commit : null;

    private static Task<Resource> ReportAsync(Resource skill, Findings found, ReconcileContext context, CancellationToken ct)
    {
        var safe = PromptConditions.Of(found.Texts);
        var ready = PromptConditions.Ready("Its source is there, and nothing in it is known to be an attack.", found.Source, safe);
        var status = StatusWriter.Status(ready.Status switch { Condition.True => "Ready", Condition.False => "Blocked", _ => "Pending" }, [found.Source, safe, ready]);
        (status["validation"], status["resolvedCommit"], status["digest"]) = (ready.Status == Condition.True ? "Valid" : ready.Reason, found.Commit, found.Digest);
        return context.WriteStatusAsync(skill, status, ct);
    }

    private sealed record Findings(Condition Source, string? Commit, string? Digest, IReadOnlyList<(string Path, string Text)> Texts);
}
