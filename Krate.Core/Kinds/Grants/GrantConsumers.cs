using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Grants;

/// <summary>
/// What stacks and their parts are made of, and so who relies on a part or on a grant: whoever names it, its Secret or ConfigMap, or its subject,
/// itself or through its parts. What breaks when it goes. Reads memory only.
/// </summary>
public sealed class GrantConsumers(KindCatalog catalog)
{
    /// <summary>Most consumers that a status names.</summary>
    public const int MostNamed = 100;

    /// <summary>Stacks may name an adapter by the name of its agent with this before it.</summary>
    private const string AdapterPrefix = "agent-mux.";

    /// <summary>A kind is made of those after it, never of those before.</summary>
    private static readonly string[] Order = ["AgentTriggerRule", "AgentStack", "AgentSubagent", "AgentSkill", "AgentToolProfile", "AgentMcpServer", "AgentProviderConfig"];

    public IReadOnlyList<KindDefinition> Kinds { get; } = [.. Order.Select(k => catalog[k])];

    /// <summary>The resource and everything that it names, also through its parts.</summary>
    public HashSet<(string Kind, string Name)> Reached(Resource resource, IResourceCache cache)
    {
        var reached = new HashSet<(string, string)> { (resource.Kind.Kind, resource.Name) };
        Add(resource, reached, cache);
        return reached;
    }

    /// <summary>What the resource names itself.</summary>
    public IEnumerable<(string Kind, string Name)> NamedBy(Resource from, IResourceCache cache)
    {
        foreach (var target in from.Kind.References.SelectMany(r => r.Read(from.Body, catalog))) yield return (target.Kind.Kind, target.Name);
        if (from.Kind.Kind != "AgentStack") yield break;
        if (from.Body.Text("spec.provider") is { Length: > 0 } provider) yield return ("AgentProviderConfig", provider);
        if (from.Body.Text("spec.adapter") is not { Length: > 0 } adapter) yield break;
        var isBare = adapter.StartsWith(AdapterPrefix, StringComparison.Ordinal) && cache.Get(catalog["AgentAdapter"], from.Namespace, adapter) is null;
        yield return ("AgentAdapter", isBare ? adapter[AdapterPrefix.Length..] : adapter);
    }

    /// <summary>The names by which something is relied on: its own, and those that a grant speaks of.</summary>
    public static IEnumerable<(string Kind, string Name)> NamesOf(Resource part) => part.Kind.Kind switch
    {
        "AgentSecretGrant" => ConcernsOf(part, GrantTarget.Secret),
        "AgentConfigGrant" => ConcernsOf(part, GrantTarget.ConfigMap),
        // Stacks name the ServiceAccount, or the identity in its place.
        "AgentServiceAccount" => [(part.Kind.Kind, part.Name), ("ServiceAccount", part.Name), ("ServiceAccount", part.Body.Text("spec.serviceAccountName") ?? part.Name)],
        _ => [(part.Kind.Kind, part.Name)],
    };

    /// <summary>What a consumer of a grant reaches: one of these.</summary>
    internal static IEnumerable<(string Kind, string Name)> ConcernsOf(Resource grant, GrantTarget target)
    {
        yield return (target.GrantKind, grant.Name);
        yield return (target.Kind, target.NameIn(grant));
        if (Subjects.KindNames.TryGetValue(grant.Body.Text("spec.subject.kind") ?? "", out var kind)) yield return (kind, grant.Body.Text("spec.subject.name") ?? "");
        if (grant.Body.Text("spec.subject.stackRef") is { Length: > 0 } stack) yield return ("AgentStack", stack);
    }

    /// <summary>
    /// Consumers by kind and name, and how many there are. What belongs to a repository is counted and not named: whoever reads the grant need not see
    /// that repository.
    /// </summary>
    internal static (JsonArray Named, int Count) Shown(IReadOnlyCollection<Resource> all)
    {
        var named = all.Where(r => RepositoryScope.RepositoryOf(r) is null)
            .OrderBy(r => r.Kind.Kind, StringComparer.Ordinal).ThenBy(r => r.Name, StringComparer.Ordinal)
            .Take(MostNamed)
            .Select(r => (JsonNode)new JsonObject { ["kind"] = r.Kind.Kind, ["name"] = r.Name });
        return (new JsonArray([.. named]), all.Count);
    }

    private void Add(Resource from, HashSet<(string Kind, string Name)> reached, IResourceCache cache)
    {
        var place = Array.IndexOf(Order, from.Kind.Kind);
        foreach (var (kind, name) in NamedBy(from, cache))
        {
            var isPart = Array.IndexOf(Order, kind) > place;
            // Whom a part may be used by (allowedAgentStacks) it is not made of.
            if (!isPart && Array.IndexOf(Order, kind) >= 0) continue;
            if (reached.Add((kind, name)) && isPart && cache.Get(catalog[kind], from.Namespace, name) is { } part) Add(part, reached, cache);
        }
    }
}
