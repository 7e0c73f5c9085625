using Krate.Core.Resources;
using Krate.Web.Components;

namespace Krate.Web.Features.Agents;

/// <summary>A place in a column of the graph.</summary>
/// <param name="Url">Null for what has no page.</param>
/// <param name="Tone">ok, warn or bad.</param>
public sealed record GraphNode(string Title, string Words, string Icon, string Tone, string? Url);

/// <param name="From">Number in its column.</param>
public sealed record GraphEdge(int From, int To, string Tone);

/// <summary>Who reads which key, and through which grant; also what no grant gives. Pure.</summary>
public sealed class GrantGraph
{
    private readonly List<GraphNode> subjects = [], grants = [], keys = [];
    private readonly List<GraphEdge> toGrants = [], toKeys = [];

    private GrantGraph()
    {
    }

    public IReadOnlyList<GraphNode> Subjects => subjects;

    public IReadOnlyList<GraphNode> Grants => grants;

    public IReadOnlyList<GraphNode> Keys => keys;

    public IReadOnlyList<GraphEdge> ToGrants => toGrants;

    public IReadOnlyList<GraphEdge> ToKeys => toKeys;

    public int Missing => grants.Count(g => g.Title == NoGrant);

    private const string NoGrant = "No grant";

    /// <param name="shown">Grants, and the AgentCapabilityRequirements of stacks, that a person may see.</param>
    public static GrantGraph Of(Place place, KindCatalog catalog, IReadOnlyCollection<Resource> shown)
    {
        var graph = new GrantGraph();
        foreach (var grant in shown.Where(r => r.Kind.Kind is "AgentSecretGrant" or "AgentConfigGrant").OrderBy(g => g.Body.Text("spec.subject.name"), StringComparer.Ordinal).ThenBy(g => g.Name, StringComparer.Ordinal))
            graph.Add(place, catalog, grant);
        foreach (var requirement in shown.Where(r => r.Kind.Kind == "AgentCapabilityRequirement").OrderBy(r => r.Name, StringComparer.Ordinal))
            foreach (var gap in requirement.Body.At("status.missingGrants") as System.Text.Json.Nodes.JsonArray ?? [])
                if (gap.Text("kind") is "AgentSecretGrant" or "AgentConfigGrant" && gap.Text("target") is { } target) graph.AddMissing(place, catalog, requirement.Name, gap.Text("kind") == "AgentSecretGrant" ? "Secret" : "ConfigMap", target, gap.Text("key"));
        return graph;
    }

    private void Add(Place place, KindCatalog catalog, Resource grant)
    {
        var (kind, name) = (grant.Body.Text("spec.subject.kind") ?? "", grant.Body.Text("spec.subject.name") ?? "");
        var (target, path) = grant.Kind.Kind == "AgentSecretGrant" ? ("Secret", "spec.secretRef") : ("ConfigMap", "spec.configMapRef");
        var isDeny = grant.Body.Text("spec.effect") == "Deny";
        var tone = isDeny || grant.FindCondition(Condition.Ready)?.Status == Condition.False ? "bad" : grant.Conditions.Any(c => c.Reason is "SecretRotationOverdue" or "ExpiresSoon") ? "warn" : "ok";
        var subject = At(subjects, new(name, kind, catalog.Find(Krate.Core.Kinds.Grants.Subjects.KindNames.GetValueOrDefault(kind, "")) is { } known ? KindWords.Icon(known) : Lucide.Bot, "ok", catalog.Find(Krate.Core.Kinds.Grants.Subjects.KindNames.GetValueOrDefault(kind, "")) is { } of ? place.UrlOf(of, name) : null));
        grants.Add(new(grant.Name, isDeny ? "denies" : grant.FindCondition(Condition.Ready) is { Status: Condition.False } ready ? ready.Reason : grant.Body.Text("spec.purpose") ?? "", KindWords.Icon(grant.Kind), tone, place.Url(grant.Kind, grant.Name)));
        toGrants.Add(new(subject, grants.Count - 1, tone));
        var named = grant.Body.Texts(path + ".keys").ToList();
        foreach (var key in named.Count > 0 ? named : ["every key"]) toKeys.Add(new(grants.Count - 1, KeyOf(place, catalog, target, grant.Body.Text(path + ".name") ?? "", key), tone));
    }

    private void AddMissing(Place place, KindCatalog catalog, string stack, string kind, string name, string? key)
    {
        var subject = At(subjects, new(stack, "agent-stack", Lucide.Bot, "ok", place.Stack(stack)));
        grants.Add(new(NoGrant, "is needed", Lucide.CircleX, "bad", place.Stack(stack, "permissions")));
        toGrants.Add(new(subject, grants.Count - 1, "bad"));
        toKeys.Add(new(grants.Count - 1, KeyOf(place, catalog, kind, name, key ?? "every key"), "bad"));
    }

    private int KeyOf(Place place, KindCatalog catalog, string kind, string name, string key) => At(keys, new($"{name} / {key}", kind, kind == "Secret" ? Lucide.Lock : Lucide.SlidersHorizontal, "ok", place.UrlOf(catalog[kind], name)));

    private static int At(List<GraphNode> column, GraphNode node)
    {
        var at = column.IndexOf(node);
        if (at >= 0) return at;
        column.Add(node);
        return column.Count - 1;
    }
}
