using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Gateway;

/// <summary>
/// Which organization a write belongs to, and whether its references stay inside (spec 02, Org scope). Reads only the cache.
/// </summary>
internal sealed class OrgScope(IResourceCache cache, KindCatalog catalog, TimeProvider time)
{
    private readonly KindDefinition organizations = catalog["Organization"];
    private readonly KindDefinition bindings = catalog["OrgNamespaceBinding"];
    private readonly KindDefinition sharing = catalog["OrgSharingPolicy"];

    /// <summary>Name of the org a namespace is bound to, or null.</summary>
    public string? OrgOf(string ns) =>
        cache.List(bindings, WellKnown.PlatformNamespace).FirstOrDefault(b => !b.IsDeleting && b.Body.Text("spec.namespace") == ns)?.Body.Text("spec.organizationRef");

    /// <summary>Fills in or checks <c>spec.organizationRef</c>, and sets the org and namespace labels.</summary>
    public void Apply(KindDefinition kind, JsonObject document, string ns)
    {
        if (kind.Scope == KindScope.Org) ApplyOrg(kind, document, ns);
        if (kind.Scope == KindScope.Platform && ns != WellKnown.PlatformNamespace)
            throw Refused(kind, document, "ORG_NAMESPACE_MISMATCH", "metadata.namespace", $"{kind.Kind} lives in the platform namespace {WellKnown.PlatformNamespace}");
        if (kind.IsProduct) SetLabel(kind, document, WellKnown.NamespaceLabel, ns);
    }

    /// <summary>Every reference names the same org, or one that an unexpired OrgSharingPolicy admits.</summary>
    public void CheckReferences(KindDefinition kind, JsonObject document)
    {
        var org = document.Text("spec.organizationRef");
        foreach (var reference in kind.References)
        {
            foreach (var (path, name) in References.Values(document, reference.Path))
            {
                var at = name.LastIndexOf('@');
                if (at < 0 || name[(at + 1)..] == org) continue;
                if (!Shared(name[(at + 1)..], org, reference.TargetKind, name[..at]))
                    throw Refused(kind, document, "CROSS_ORG_REF_DENIED", path, $"names a {reference.TargetKind} of another organization, and no sharing policy admits it");
            }
        }
    }

    public static void SetLabel(KindDefinition kind, JsonObject document, string label, string? value)
    {
        var labels = document.Child("metadata").Child("labels");
        var given = labels[label] is JsonValue v && v.TryGetValue<string>(out var s) ? s : null;
        if (value is null)
        {
            labels.Remove(label);
            return;
        }

        if (given is not null && given != value && (label == WellKnown.OrgLabel || label == WellKnown.NamespaceLabel))
            throw Refused(kind, document, "ORG_NAMESPACE_MISMATCH", $"metadata.labels[{label}]", $"is set by Krate to {value}; remove it");
        labels[label] = value;
    }

    private static ApiException Refused(KindDefinition kind, JsonObject document, string code, string field, string message) =>
        ApiException.Invalid(kind, document.Text("metadata.name") ?? "", new FieldError(code, field, message));

    private void ApplyOrg(KindDefinition kind, JsonObject document, string ns)
    {
        var bound = OrgOf(ns);
        var given = document.Text("spec.organizationRef");
        if (given is not null && given != bound)
        {
            throw cache.Get(organizations, WellKnown.PlatformNamespace, given) is null
                ? Refused(kind, document, "ORG_NOT_FOUND", "spec.organizationRef", $"there is no organization {given} that you may see")
                : Refused(kind, document, "ORG_NAMESPACE_MISMATCH", "metadata.namespace", $"namespace {ns} is not the namespace of organization {given}");
        }

        if (bound is null)
            throw Refused(kind, document, "ORG_REQUIRED", "metadata.namespace", $"namespace {ns} is bound to no organization; use an organization's namespace (kubectl -n {WellKnown.PlatformNamespace} get orgnamespacebindings)");
        document.Child("spec")["organizationRef"] = bound;
        SetLabel(kind, document, WellKnown.OrgLabel, bound);
    }

    private bool Shared(string sourceOrg, string? targetOrg, string targetKind, string name)
    {
        if (targetKind is "Secret" or "ConfigMap") return false;
        var now = time.GetUtcNow();
        return cache.List(sharing, WellKnown.PlatformNamespace).Any(p =>
            !p.IsDeleting
            && p.Body.Text("spec.sourceOrg") == sourceOrg
            && p.Body.Text("spec.targetOrg") == targetOrg
            && !(DateTimeOffset.TryParse(p.Body.Text("spec.expiresAt"), System.Globalization.CultureInfo.InvariantCulture, out var expires) && expires <= now)
            && p.Body.At("spec.allowedRefs") is JsonArray refs
            && refs.Any(r => r.Text("kind") == targetKind && r.Text("name") == name));
    }
}

/// <summary>Reads the values of reference fields, arrays included.</summary>
public static class References
{
    /// <summary>All names at a path of the table of kinds (<c>spec.mcpServerRefs[]</c>, <c>spec.requiredSecretRefs[].name</c>), each with its own path.</summary>
    public static IEnumerable<(string Path, string Name)> Values(JsonNode? document, string path) => Walk(document, path.Split('.'), 0, "");

    private static IEnumerable<(string Path, string Name)> Walk(JsonNode? node, string[] steps, int at, string path)
    {
        if (node is null) yield break;
        if (at == steps.Length)
        {
            if (node is JsonValue v && v.TryGetValue<string>(out var name) && name.Length > 0) yield return (path, name);
            yield break;
        }

        var many = steps[at].EndsWith("[]", StringComparison.Ordinal);
        var step = many ? steps[at][..^2] : steps[at];
        if (node is not JsonObject o || !o.TryGetPropertyValue(step, out var child)) yield break;
        var here = path.Length == 0 ? step : $"{path}.{step}";
        if (!many)
        {
            foreach (var found in Walk(child, steps, at + 1, here)) yield return found;
            yield break;
        }

        if (child is not JsonArray items) yield break;
        for (var i = 0; i < items.Count; i++)
            foreach (var found in Walk(items[i], steps, at + 1, $"{here}[{i}]")) yield return found;
    }
}
