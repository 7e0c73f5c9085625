using Krate.Core.Gateway;
using Krate.Core.Git;
using Krate.Core.Resources;

namespace Krate.Core.Repositories;

/// <summary>A repository as somebody may read it: the resource and its git directory. Valid for one request; ask again for the next.</summary>
public sealed record HostedRepository(string Org, Resource Resource, GitRepository Git)
{
    public string Name => Resource.Name;

    public string Namespace => Resource.Namespace;

    public string DefaultBranch => Resource.Body.Text("spec.defaultBranch") ?? "main";

    /// <summary>The reconciler has made the git directory.</summary>
    public bool IsHosted => Directory.Exists(Git.Directory);
}

/// <summary>
/// The one door to the contents of repositories for those who read: it asks the gateway for the Repository as the actor, so that what
/// is hidden and what is not there are answered alike. Thread-safe.
/// </summary>
public sealed class HostedRepositories(IResourceGateway gateway, IResourceCache cache, KindCatalog catalog, RepositoryFiles files)
{
    private readonly KindDefinition kind = catalog["Repository"];
    private readonly KindDefinition bindings = catalog["OrgNamespaceBinding"];

    /// <exception cref="ApiException">404 for what is not there, and for what the actor may not see.</exception>
    public async Task<HostedRepository> OpenAsync(Actor actor, string org, string name, CancellationToken ct)
    {
        if (NamespaceOf(org) is not { } ns || !MetadataRules.IsDnsLabel(name)) throw Missing(name);
        try
        {
            return new HostedRepository(org, await gateway.GetAsync(actor, kind, ns, name, ct), new GitRepository(files.DirectoryOf(org, name)));
        }
        catch (ApiException e) when (e.Code is 403 or 404)
        {
            throw Missing(name);
        }
    }

    private string? NamespaceOf(string org) =>
        cache.List(bindings, WellKnown.PlatformNamespace).FirstOrDefault(b => b.Body.Text("spec.organizationRef") == org)?.Body.Text("spec.namespace");

    private ApiException Missing(string name) => ApiException.NotFound(kind, name);
}
