using Krate.Core.Resources;
using Krate.Web.Components;
using Krate.Web.Features.Code;
using Krate.Web.Features.Registries;

namespace Krate.Web.Features;

/// <summary>Where a page stands: in an organization, or in the platform's administration. Knows addresses and namespaces, and no right.</summary>
public sealed record Place(string? Org, string Title, string Namespace)
{
    public static readonly Place Platform = new(null, "Administration", WellKnown.PlatformNamespace);

    public bool IsPlatform => Org is null;

    public string Home => Org is null ? "/admin" : $"/orgs/{Org}";

    /// <summary>Root of the generic pages.</summary>
    public string Resources => Org is null ? "/admin" : $"/orgs/{Org}/resources";

    public static bool IsOrgKind(KindDefinition kind) => !kind.CreateOnly && kind.Scope is KindScope.Org or KindScope.Namespaced;

    public static bool IsPlatformKind(KindDefinition kind) => !kind.CreateOnly && kind.Scope is KindScope.Platform or KindScope.Cluster;

    public bool Has(KindDefinition kind) => !kind.CreateOnly && (IsPlatform ? IsPlatformKind(kind) : IsOrgKind(kind));

    /// <summary>Namespace of a kind's resources here; empty for cluster-scoped kinds.</summary>
    public string NamespaceOf(KindDefinition kind) => kind.Scope == KindScope.Cluster ? "" : Namespace;

    /// <summary>The kind that an address names: <c>agentstacks</c>, or <c>plural.group</c> where two groups share a plural.</summary>
    public KindDefinition? FindKind(KindCatalog catalog, string plural) =>
        catalog.All.FirstOrDefault(k => Has(k) && k.QualifiedPlural == plural) ?? catalog.All.FirstOrDefault(k => Has(k) && k.Plural == plural);

    /// <summary>The list of repositories; each repository's own pages are below it.</summary>
    public string Repositories => CodeUrls.RepositoriesOf(Org!);

    /// <summary>What waits for the person who looks.</summary>
    public string Inbox => Home + "/inbox";

    /// <summary>What runs in all repositories.</summary>
    public string Runs => Home + "/runs";

    public string Hooks => Home + "/hooks";

    /// <summary>Members, teams and invites.</summary>
    public string People => Home + "/people";

    public string Runners => Home + "/runners";

    /// <summary>The page of a team.</summary>
    public string Team(string name) => $"{Home}/teams/{Uri.EscapeDataString(name)}";

    /// <summary>A section of the organization's settings.</summary>
    public string Settings(string section = "") => section.Length == 0 ? Home + "/settings" : $"{Home}/settings/{section}";

    /// <summary>Where a person gets a token, and the lines for git and kubectl.</summary>
    public string Connect => CodeUrls.ConnectOf(Org!);

    /// <summary>How the stacks and what they are made of stand.</summary>
    public string Agents => Home + "/agents";

    /// <summary>Who holds what, and who tried to.</summary>
    public string Permissions => Agents + "/permissions";

    public string ListUrl(KindDefinition kind) => (IsPlatform ? "" : kind.Kind) switch
    {
        "Repository" => Repositories,
        "AgentStack" => Agents + "/stacks",
        "AgentDispatchRun" => Agents + "/runs",
        "AgentSession" => Agents + "/sessions",
        "AgentWorkspace" => Agents + "/workspaces",
        "Team" => People + "/teams",
        "Invite" => People + "/invites",
        "RunnerPool" => Runners,
        _ when IsPlatform && kind.Kind == "AuthProvider" => Home + "/sign-in",
        _ when RegistryOf(kind) is { } registry => $"{Agents}/{registry.Path}",
        _ => $"{Resources}/{Uri.EscapeDataString(kind.Plural)}",
    };

    public string NewUrl(KindDefinition kind) => (IsPlatform ? "" : kind.Kind) switch
    {
        "Repository" => CodeUrls.NewOf(Org!),
        "AgentStack" => Agents + "/new-stack",
        "AgentDispatchRun" => Agents + "/new-run",
        _ when RegistryOf(kind) is { } registry => $"{Agents}/new/{registry.Path}",
        _ when HasForm(kind) => ListUrl(kind) + "/new",
        _ => $"{Resources}/{Uri.EscapeDataString(kind.Plural)}/new",
    };

    /// <param name="tab">A tab of the generic page, which every kind has.</param>
    public string Url(KindDefinition kind, string name, string? tab = null) => (IsPlatform ? "" : kind.Kind) switch
    {
        "Repository" when tab is null => new CodeUrls(Org!, name).Home,
        "AgentStack" => Stack(name, tab),
        "AgentDispatchRun" when tab is null => $"{Agents}/runs/{Uri.EscapeDataString(name)}",
        _ when RegistryOf(kind) is { } registry => $"{Agents}/{registry.Path}/{Uri.EscapeDataString(name)}{(tab is null ? "" : $"?tab={tab}")}",
        "Team" when tab is null => Team(name),
        "RunnerPool" when tab is null => $"{Runners}/{Uri.EscapeDataString(name)}",
        _ when tab is null && IsPlatform && kind.Kind == "AuthProvider" => $"{Home}/sign-in/{Uri.EscapeDataString(name)}",
        _ => ResourceUrl(kind, name, tab),
    };

    /// <summary>The page of a stack.</summary>
    public string Stack(string name, string? tab = null) => $"{Agents}/stacks/{Uri.EscapeDataString(name)}{(tab is null ? "" : $"?tab={tab}")}";

    /// <summary>The generic page of a resource.</summary>
    public string ResourceUrl(KindDefinition kind, string name, string? tab = null) =>
        $"{Resources}/{Uri.EscapeDataString(kind.Plural)}/{Uri.EscapeDataString(name)}{(tab is null ? "" : $"?tab={tab}")}";

    /// <summary>Address of a resource that this place's pages name; null where it has no page.</summary>
    public string? UrlOf(KindDefinition kind, string name)
    {
        if (kind.CreateOnly || name.Length == 0 || name.Contains('@', StringComparison.Ordinal)) return null;
        if (Has(kind)) return Url(kind, name);
        return IsPlatformKind(kind) ? Platform.Url(kind, name) : null;
    }

    /// <summary>Breadcrumbs down to the list of a kind; <paramref name="list"/> says whether the list itself is one.</summary>
    public IReadOnlyList<(string Text, string? Url)> TrailTo(KindDefinition kind, bool list = true)
    {
        var trail = new List<(string, string?)> { (Org ?? "Administration", Home) };
        var ofAgents = IsPlatform ? null : kind.Kind switch
        {
            "AgentStack" => "Stacks",
            "AgentDispatchRun" => "Runs",
            "AgentSession" => "Sessions",
            "AgentWorkspace" => "Workspaces",
            _ => RegistryOf(kind)?.Title,
        };
        trail.Add(IsPlatform ? ("Kinds", Resources) : ofAgents is not null ? ("Agents", Agents) : ("Resources", Resources));
        if (list) trail.Add((ofAgents ?? KindWords.Plural(kind), ListUrl(kind)));
        return trail;
    }

    /// <summary>Of the kinds that stacks are put together from.</summary>
    private Registry? RegistryOf(KindDefinition kind) => IsPlatform ? null : Registries.Registries.Of(kind);

    private bool HasForm(KindDefinition kind) => IsPlatform ? kind.Kind == "AuthProvider" : kind.Kind is "Team" or "Invite" or "RunnerPool";

    public string Kubectl(string verb, KindDefinition kind, string name = "") =>
        $"kubectl {verb} {(kind.IsProduct ? kind.Plural : kind.QualifiedPlural)}{(name.Length > 0 ? " " + name : "")}{(kind.IsNamespaced ? $" -n {Namespace}" : "")}";
}
