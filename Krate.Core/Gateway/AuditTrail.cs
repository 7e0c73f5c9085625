using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Core.Store;

namespace Krate.Core.Gateway;

/// <summary>Where a door records what it refused before the gateway was asked. Equal denials of one actor within a minute are one.</summary>
public interface IDenialLog
{
    /// <param name="request">What was asked; it need not be about a kind (<c>impersonate</c> on <c>users</c>, a nonResourceURL).</param>
    Task DeniedAsync(Actor actor, AccessRequest request, string reason, CancellationToken ct);
}

/// <summary>Where a rule about contents records what it found, beside RBAC: pushes, merges.</summary>
public interface IPolicyLog
{
    /// <param name="allowed">False: it was refused. True: it was let through, because the rule only watches.</param>
    Task JudgedAsync(Actor actor, Resource target, string action, bool allowed, string reason, CancellationToken ct);
}

/// <summary>Makes audit documents and decides which denials are worth a row. Thread-safe.</summary>
internal sealed class AuditTrail(IResourceStore store, TimeProvider time) : IDenialLog, IPolicyLog
{
    private const int MaxRemembered = 10_000;

    /// <summary>Rows of denials that one actor may cause in a minute; callers choose the names in them, so equality alone is no bound.</summary>
    private const int MaxDenialsPerMinute = 30;
    private readonly ConcurrentDictionary<string, DateTimeOffset> denials = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (long Minute, int Count)> perActor = new(StringComparer.Ordinal);

    /// <summary>An event of something that was admitted.</summary>
    public static JsonObject Admitted(Actor actor, string verb, Resource resource, string subresource, string kubectl) =>
        Event(actor, TypeOf(verb, subresource), resource.Kind, resource.Namespace, resource.Name, subresource, "Allowed", "", kubectl, resource.Uid,
            resource.Label(WellKnown.OrgLabel), RepositoryScope.RepositoryOf(resource));

    /// <summary>A permission review that somebody asked for, with its answer; what a token review was asked about is not repeated.</summary>
    public static JsonObject Reviewed(Actor actor, Resource review)
    {
        var decision = review.Body["status"] is JsonObject status && status["allowed"] is JsonValue v && v.TryGetValue<bool>(out var allowed) && !allowed ? "Denied" : "Allowed";
        return Event(actor, "permission.reviewed", review.Kind, review.Namespace, "", "", decision, review.Body.Text("status.reason") ?? "", Kubectl.Line("create", review.Kind, review.Namespace, ""), "", null);
    }

    /// <summary>A ref that has moved. The pusher's groups are not known any more.</summary>
    public static JsonObject RefUpdated(string user, string pushId, Resource repository, string name, string before, string after)
    {
        var (created, deleted) = (before.All(c => c == '0'), after.All(c => c == '0'));
        var actor = new Actor(user, []) { Source = "git", CorrelationId = pushId };
        var command = deleted ? $"git push {repository.Name} :{name}" : $"git push {repository.Name} {after}:{name}";
        var document = Event(actor, created ? "ref.created" : deleted ? "ref.deleted" : "ref.updated", repository.Kind, repository.Namespace, repository.Name, "", "Allowed", "", command, repository.Uid,
            repository.Label(WellKnown.OrgLabel), repository.Name);
        document.Set("spec.metadata.ref", name);
        document.Set("spec.metadata.before", before);
        document.Set("spec.metadata.after", after);
        return document;
    }

    public Task JudgedAsync(Actor actor, Resource target, string action, bool allowed, string reason, CancellationToken ct)
    {
        var document = Event(actor, $"policy.{action}", target.Kind, target.Namespace, target.Name, "", allowed ? "Allowed" : "Denied", reason, Kubectl.Line("get", target.Kind, target.Namespace, target.Name), target.Uid,
            target.Label(WellKnown.OrgLabel), RepositoryScope.RepositoryOf(target));
        return store.CommitAsync(new Commit { Audit = [document] }, ct);
    }

    /// <summary>Records a denied request; equal ones of one actor within a minute are one.</summary>
    public Task DeniedAsync(Actor actor, AccessRequest request, KindDefinition kind, string reason, CancellationToken ct) =>
        DeniedAsync(actor, request, kind, Kubectl.Line(request.Verb, kind, request.Namespace, request.Name), reason, ct);

    public Task DeniedAsync(Actor actor, AccessRequest request, string reason, CancellationToken ct)
    {
        var what = request.Path ?? (request.Group.Length > 0 ? $"{request.Resource}.{request.Group}" : request.Resource);
        var target = new KindDefinition { Kind = what, Plural = what, Group = request.Group, Version = "v1", Scope = KindScope.Cluster, Description = what };
        var scope = request.Namespace.Length > 0 ? $" -n {request.Namespace}" : "";
        return DeniedAsync(actor, request, target, $"kubectl auth can-i {request.Verb} {what}{(request.Name.Length > 0 ? "/" + request.Name : "")}{scope}", reason, ct);
    }

    private async Task DeniedAsync(Actor actor, AccessRequest request, KindDefinition kind, string kubectl, string reason, CancellationToken ct)
    {
        var key = $"{actor.User}\n{request.Verb}\n{request.Group}/{request.Resource}/{request.Subresource}\n{request.Namespace}\n{request.Name}\n{request.Path}";
        var now = time.GetUtcNow();
        if (denials.TryGetValue(key, out var last) && now - last < TimeSpan.FromMinutes(1)) return;
        if (denials.Count >= MaxRemembered) Forget(now);
        denials[key] = now;
        var minute = now.ToUnixTimeSeconds() / 60;
        var (_, count) = perActor.AddOrUpdate(actor.User, _ => (minute, 1), (_, was) => was.Minute == minute ? (minute, was.Count + 1) : (minute, 1));
        if (count > MaxDenialsPerMinute) return;
        if (count == MaxDenialsPerMinute) reason += "; further denials of this actor in this minute are not recorded one by one";
        var document = Event(actor, "request.denied", kind, request.Namespace, request.Name, request.Subresource, "Denied", reason, kubectl, "", null);
        await store.CommitAsync(new Commit { Audit = [document] }, ct);
    }

    private void Forget(DateTimeOffset now)
    {
        foreach (var (key, at) in denials)
            if (now - at >= TimeSpan.FromMinutes(1)) denials.TryRemove(key, out _);
        if (denials.Count >= MaxRemembered) denials.Clear();
        if (perActor.Count >= MaxRemembered) perActor.Clear();
    }

    private static string TypeOf(string verb, string subresource) => (verb, subresource) switch
    {
        ("create", "") => "resource.created",
        ("delete", "") => "resource.deleted",
        (_, "") => "resource.updated",
        (_, "status") => "resource.status",
        _ => $"action.{subresource}",
    };

    private static JsonObject Event(
        Actor actor, string type, KindDefinition kind, string ns, string name, string subresource, string decision, string reason, string kubectl, string uid, string? org, string? repository = null)
    {
        var who = new JsonObject
        {
            ["kind"] = actor.IsServer ? "Controller" : actor.User.StartsWith("system:serviceaccount:", StringComparison.Ordinal) ? "ServiceAccount" : "User",
            ["name"] = actor.User,
            ["groups"] = new JsonArray([.. actor.Groups.Select(g => (JsonNode)g)]),
        };
        if (actor.Impersonator is { } real) who["impersonatedBy"] = real.User;
        var target = new JsonObject { ["group"] = kind.Group, ["kind"] = kind.Kind, ["namespace"] = ns, ["name"] = name };
        if (subresource.Length > 0) target["subresource"] = subresource;
        if (uid.Length > 0) target["uid"] = uid;
        if (repository is not null) target["repository"] = repository;
        var spec = new JsonObject
        {
            ["type"] = type,
            ["actor"] = who,
            ["source"] = actor.Source,
            ["target"] = target,
            ["decision"] = decision,
            ["metadata"] = new JsonObject { ["correlationId"] = actor.CorrelationId, ["kubectl"] = kubectl },
        };
        if (org is not null) spec["organizationRef"] = org;
        if (reason.Length > 0) spec["reason"] = reason;
        return new JsonObject
        {
            ["apiVersion"] = WellKnown.GroupVersion,
            ["kind"] = "AuditEvent",
            ["metadata"] = new JsonObject { ["namespace"] = ns.Length > 0 ? ns : WellKnown.PlatformNamespace },
            ["spec"] = spec,
        };
    }
}

/// <summary>The kubectl command that does the same as a call on the gateway, for audit and for the manifest panel.</summary>
public static class Kubectl
{
    public static string Line(string verb, KindDefinition kind, string ns, string name, string subresource = "")
    {
        var scope = ns.Length > 0 ? $" -n {ns}" : "";
        var target = name.Length > 0 ? $"{kind.QualifiedPlural} {name}" : kind.QualifiedPlural;
        return (verb, subresource) switch
        {
            ("create", "") => $"kubectl{scope} create -f -",
            ("update", "") => $"kubectl{scope} replace -f -",
            ("update" or "patch", "status") => $"kubectl{scope} patch {target} --subresource=status --type=merge -p -",
            ("patch", "") => $"kubectl{scope} patch {target} --type=merge -p -",
            ("delete", _) => $"kubectl{scope} delete {target}",
            ("watch", _) => $"kubectl{scope} get {target} -w",
            ("list", _) or ("get", _) => $"kubectl{scope} get {target}",
            _ => $"kubectl create --raw /apis/{kind.ApiVersion}{(ns.Length > 0 ? $"/namespaces/{ns}" : "")}/{kind.Plural}/{name}/{subresource} -f -",
        };
    }
}
