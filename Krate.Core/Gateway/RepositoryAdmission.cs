using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Gateway;

/// <summary>
/// Levels of RepositoryPermission, and what each may do on the repository itself. Whoever may read it may also follow it, by name.
/// </summary>
public static class RepositoryLevels
{
    public static IReadOnlyDictionary<string, IReadOnlyList<string>> Verbs { get; } = new Dictionary<string, IReadOnlyList<string>>
    {
        ["read"] = ["get", "list", "watch"],
        ["write"] = ["get", "list", "watch", "push"],
        ["maintain"] = ["get", "list", "watch", "push", "update", "patch"],
        ["admin"] = ["get", "list", "watch", "push", "update", "patch", "delete"],
    };
}

/// <summary>
/// What a write may not do to the secrecy of repositories, beside RBAC on the resource itself: nobody shows others what they do not hold.
/// </summary>
internal sealed class RepositoryAdmission(IAuthorizer authorizer, IResourceCache cache, KindCatalog catalog)
{
    /// <summary>From the most secret on.</summary>
    private static readonly string[] Visibilities = ["private", "internal", "public"];
    private readonly KindDefinition repositories = catalog["Repository"];

    /// <param name="before">Null for a create.</param>
    /// <exception cref="ApiException">403 or 422.</exception>
    public void Check(Actor actor, KindDefinition kind, JsonObject document, JsonObject? before)
    {
        if (kind == repositories) CheckRepository(actor, document, before);
        else if (kind.Kind == "RepositoryPermission") CheckPermission(actor, kind, document, before);
        else if (kind.Kind == "WebhookSubscription") CheckSubscription(actor, kind, document, before);
    }

    /// <summary>A subscription without a repository sends away what happens in each of them.</summary>
    private void CheckSubscription(Actor actor, KindDefinition kind, JsonObject document, JsonObject? before)
    {
        if (document.Text("spec.repository") is { Length: > 0 } || (before is not null && JsonNode.DeepEquals(before["spec"], document["spec"]))) return;
        if (May(actor, "get", "repositories", document.Text("metadata.namespace") ?? "", "")) return;
        var name = document.Text("metadata.name") ?? "";
        throw new ApiException(403, "Forbidden", $"{kind.QualifiedPlural} \"{name}\" is forbidden: without spec.repository it sends events of every repository, and you may not see all of them; name one in spec.repository")
        { Subject = (kind.Group, kind.Plural, name), ProductCode = "POLICY_DENIED" };
    }

    private void CheckRepository(Actor actor, JsonObject document, JsonObject? before)
    {
        var ns = document.Text("metadata.namespace") ?? "";
        if (before is null && document.Text("spec.forkOf") is { Length: > 0 } fork) CheckFork(actor, document, ns, fork);
        if (before is not null && Rank(document) > Rank(before) && !May(actor, "create", "repositorypermissions", ns, ""))
            throw Forbidden(document, "showing a repository to more people needs the right to create repositorypermissions");
        const string path = "spec.hosting.importFrom.path";
        if (document.Text(path) is { Length: > 0 } local && local != before?.Text(path) && !May(actor, "import", "repositories", WellKnown.PlatformNamespace, ""))
            throw Forbidden(document, $"{path}: only platform administrators import from the server's own disk; use a url, or push");
    }

    private void CheckFork(Actor actor, JsonObject document, string ns, string fork)
    {
        if (cache.Get(repositories, ns, fork) is not { IsDeleting: false } source || !May(actor, "get", "repositories", ns, fork))
            throw Invalid(document, "FieldValueNotFound", "spec.forkOf", $"there is no repository {fork} that you may see");
        if (Rank(document) > Rank(source.Body))
            throw Invalid(document, "FieldValueInvalid", "spec.visibility", $"a fork may not be seen by more people than {fork}, which is {source.Body.Text("spec.visibility")}");
    }

    private void CheckPermission(Actor actor, KindDefinition kind, JsonObject document, JsonObject? before)
    {
        if (before is not null && JsonNode.DeepEquals(before["spec"], document["spec"])) return;
        var (ns, repository) = (document.Text("metadata.namespace") ?? "", document.Text("spec.repository") ?? "");
        var wanted = RepositoryLevels.Verbs.GetValueOrDefault(document.Text("spec.permission") ?? "") ?? [];
        if (wanted.FirstOrDefault(v => !May(actor, v, "repositories", ns, repository)) is not { } missing) return;
        var name = document.Text("metadata.name") ?? "";
        throw new ApiException(403, "Forbidden", $"{kind.QualifiedPlural} \"{name}\" is forbidden: it gives \"{missing}\" on repository {repository}, which you do not hold yourself")
        { Subject = (kind.Group, kind.Plural, name), ProductCode = "POLICY_DENIED" };
    }

    private bool May(Actor actor, string verb, string resource, string ns, string name) =>
        authorizer.Decide(actor, new AccessRequest { Verb = verb, Group = WellKnown.ApiGroup, Resource = resource, Namespace = ns, Name = name }).Allowed;

    private static int Rank(JsonObject document) => Array.IndexOf(Visibilities, document.Text("spec.visibility"));

    private ApiException Forbidden(JsonObject document, string why)
    {
        var name = document.Text("metadata.name") ?? "";
        return new(403, "Forbidden", $"{repositories.QualifiedPlural} \"{name}\" is forbidden: {why}") { Subject = (repositories.Group, repositories.Plural, name), ProductCode = "POLICY_DENIED" };
    }

    private ApiException Invalid(JsonObject document, string reason, string field, string message) =>
        ApiException.Invalid(repositories, document.Text("metadata.name") ?? "", new FieldError(reason, field, message));
}
