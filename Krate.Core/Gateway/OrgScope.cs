using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Gateway;

/// <summary>
/// Which organization a write belongs to, and whether its references stay inside (spec 02, Org scope). Reads only the cache.
/// </summary>
internal sealed class OrgScope(IResourceCache cache, KindCatalog catalog, TimeProvider time)
{
    /// <summary>Namespaces of the seed's examples; they stand for the org's own.</summary>
    private static readonly string[] ExampleNamespaces = [WellKnown.PlatformNamespace, "krate-secrets", "krate-config"];

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

    /// <summary>Every reference names the same org, or one that an unexpired OrgSharingPolicy and the word of that org admit.</summary>
    public void CheckReferences(KindDefinition kind, JsonObject document)
    {
        var org = document.Text("spec.organizationRef");
        var ns = document.Text("metadata.namespace");
        foreach (var target in kind.References.SelectMany(r => r.Read(document, catalog)))
        {
            var at = target.Name.LastIndexOf('@');
            var elsewhere = at >= 0 && target.Name[(at + 1)..] != org && !Shared(target.Name[(at + 1)..], org, target.Kind.Kind, target.Name[..at]);
            if (elsewhere || (target.Namespace is { Length: > 0 } given && given != ns && !ExampleNamespaces.Contains(given)))
                throw Refused(kind, document, "CROSS_ORG_REF_DENIED", target.Field, $"names a {target.Kind.Kind} of another organization, and no sharing policy that it has agreed to admits it");
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
        if (document.At("spec.organizationRef") is { } reference && reference.GetValueKind() != System.Text.Json.JsonValueKind.String)
            throw Refused(kind, document, "FieldValueTypeInvalid", "spec.organizationRef", "must be a string");
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
        if (targetKind is "Secret" or "ConfigMap" || targetOrg is null) return false;
        var now = time.GetUtcNow();
        return Sharing.IsAgreed(cache.Get(organizations, WellKnown.PlatformNamespace, sourceOrg), targetOrg, targetKind, name)
            && cache.List(sharing, WellKnown.PlatformNamespace).Any(p => Sharing.Names(p, sourceOrg, targetOrg, targetKind, name) && !(Sharing.EndsAt(p) <= now));
    }
}
