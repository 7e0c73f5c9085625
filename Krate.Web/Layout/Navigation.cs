using Krate.Core.Resources;
using Krate.Web.Components;
using Krate.Web.Features;
using Krate.Web.Features.Registries;

namespace Krate.Web.Layout;

/// <param name="Kind">Shown to those who may list it; null: to everybody.</param>
public sealed record NavEntry(string Text, string Icon, string Href, KindDefinition? Kind = null, bool Exact = false)
{
    public IReadOnlyList<NavEntry> Children { get; init; } = [];

    /// <summary>The letter that leads here after <c>g</c>.</summary>
    public string? Key { get; init; }

    /// <summary>Root of pages that belong to it beside its own; null for none.</summary>
    public string? Also { get; init; }

    public bool IsActive(string path) =>
        Exact ? path == Href : path == Href || path.StartsWith(Href + "/", StringComparison.Ordinal) || (Also is not null && path.StartsWith(Also + "/", StringComparison.Ordinal));
}

/// <summary>The left rail: what works now, and of that what the person may list.</summary>
public static class Navigation
{
    public static IEnumerable<NavEntry> OfOrg(Place place, KindCatalog catalog)
    {
        NavEntry Of(string text, string kind, string icon = "") => new(text, icon, place.ListUrl(catalog[kind]), catalog[kind]);

        yield return Of("Repositories", "Repository", Lucide.FolderTree) with { Key = "r" };
        yield return new("Inbox", Lucide.Inbox, place.Inbox) { Key = "i" };
        yield return new("Runs", Lucide.CirclePlay, place.Runs, catalog["Pipeline"]);
        yield return new("Dashboard", Lucide.Gauge, place.Home, Exact: true);
        yield return new("Agents", Lucide.Bot, place.Agents, catalog["AgentStack"])
        {
            Key = "a",
            Children =
            [
                new("Overview", "", place.Agents, Exact: true), Of("Stacks", "AgentStack"), Of("Runs", "AgentDispatchRun"), Of("Sessions", "AgentSession"), Of("Workspaces", "AgentWorkspace"),
                .. Registries.All.Select(r => Of(r.Title, r.Kind)),
                new("Permissions", "", place.Permissions, catalog["AgentRoleBinding"]),
            ],
        };
        yield return Of("Runners", "RunnerPool", Lucide.Server);
        yield return new("Hooks", Lucide.Webhook, place.Hooks, catalog["WebhookSubscription"]);
        yield return new("People", Lucide.Users, place.People, catalog["Team"]) { Also = place.Home + "/teams" };
        yield return new("All resources", Lucide.Boxes, place.Resources, Exact: true);
        yield return new("Settings", Lucide.Settings, place.Home + "/settings");
    }

    public static IEnumerable<NavEntry> OfPlatform(KindCatalog catalog)
    {
        yield return new("All kinds", Lucide.Boxes, Place.Platform.Home, Exact: true);
        yield return new("Sign-in", Lucide.LogIn, Place.Platform.ListUrl(catalog["AuthProvider"]), catalog["AuthProvider"]);
        foreach (var kind in catalog.All.Where(k => Place.IsPlatformKind(k) && k.Kind != "AuthProvider"))
            yield return new(KindWords.Plural(kind), KindWords.Icon(kind), Place.Platform.ListUrl(kind), kind);
    }
}
