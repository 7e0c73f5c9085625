using Krate.Core.Resources;

namespace Krate.Core.Gateway;

/// <summary>
/// What RBAC alone cannot say: a resource that belongs to a repository is visible only to those who may <c>get</c> that
/// repository (spec 03, Repository scope). Lists and watches are narrowed, never refused.
/// </summary>
public sealed class RepositoryScope(IAuthorizer authorizer)
{
    private const string Repositories = "repositories";

    public static bool AppliesTo(KindDefinition kind) => kind.RepositoryPath is not null || kind.Kind == "Repository" || kind.ReadOnly || IsEvent(kind);

    private static bool IsEvent(KindDefinition kind) => kind is { Kind: "Event", Group: "" };

    /// <summary>Whether the actor sees this resource. Pure on what is in memory.</summary>
    public bool Sees(Actor actor, Resource resource) => RepositoryOf(resource) is not { } repository || MayGet(actor, resource.Namespace, repository);

    public bool MayGet(Actor actor, string ns, string repository) =>
        authorizer.Decide(actor, new AccessRequest { Verb = "get", Group = WellKnown.ApiGroup, Resource = Repositories, Namespace = ns, Name = repository }).Allowed;

    /// <summary>Repositories a list of one namespace is narrowed to; null when all are visible.</summary>
    public IReadOnlySet<string>? VisibleIn(Actor actor, string ns) => authorizer.NamesAllowed(actor, "get", WellKnown.ApiGroup, Repositories, ns);

    /// <summary>The repository a resource belongs to. Audit rows and Events tell of one that does.</summary>
    public static string? RepositoryOf(Resource resource) =>
        resource.Kind.Kind == "Repository" ? resource.Name
        : resource.Kind.ReadOnly ? resource.Body.Text("spec.target.repository")
        : resource.Kind.RepositoryPath is null && !IsEvent(resource.Kind) ? null : resource.Label(WellKnown.RepositoryLabel);
}
