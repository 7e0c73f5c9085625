using System.Text.Json.Nodes;
using Krate.Core.ControlPlane;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Grants;

/// <summary>How the native objects of a binding are after a look at them.</summary>
/// <param name="Problem">Why they are not as they should be; null when they are.</param>
/// <param name="Drift">What somebody added by hand; it stays until a person has decided.</param>
/// <param name="Repaired">What was taken away by hand and is there again.</param>
internal sealed record NativeState((string Reason, string Message)? Problem, string? Drift, IReadOnlyList<string> Repaired);

/// <summary>The native Role and binding of an AgentRoleBinding: what they should be, and bringing them there. Touches only what the binding owns.</summary>
internal sealed class NativeBinding(KindCatalog catalog, ReconcileContext context)
{
    private static readonly string[] RoleFields = ["rules"];
    private static readonly string[] BindingFields = ["roleRef", "subjects"];
    private static readonly WriteOptions Options = new() { FieldManager = "krate-control-plane" };

    public static string NameOf(Resource binding) => binding.Body.Text("spec.nativeRoleBindingName") is { Length: > 0 } own ? own
        : AgentRolePlan.IsClusterWide(binding) ? $"agentrolebinding-{binding.Namespace}-{binding.Name}" : $"agentrolebinding-{binding.Name}";

    /// <summary>Role first: a binding is made to what is there.</summary>
    public IReadOnlyList<(KindDefinition Kind, JsonObject Document)> Wanted(Resource binding, AgentRolePlan plan)
    {
        var cluster = AgentRolePlan.IsClusterWide(binding);
        var (roles, bindings, name, ns) = (catalog[cluster ? "ClusterRole" : "Role"], catalog[cluster ? "ClusterRoleBinding" : "RoleBinding"], NameOf(binding), cluster ? "" : binding.Namespace);
        var wanted = new List<(KindDefinition, JsonObject)>();
        if (!plan.IsDirect)
        {
            var role = new JsonObject { ["rules"] = new JsonArray([.. plan.Rules.Concat(plan.Sight).Select(r => (JsonNode)RbacRules.Write(r))]) };
            OwnedObjects.Mark(role, binding, name, ns, RoleFields);
            wanted.Add((roles, role));
        }

        var native = new JsonObject
        {
            ["roleRef"] = new JsonObject { ["apiGroup"] = RbacRules.ApiGroup, ["kind"] = plan.IsDirect ? plan.Reference!.Kind : roles.Kind, ["name"] = plan.IsDirect ? plan.Reference!.Name : name },
            ["subjects"] = new JsonArray(plan.Subject!.DeepClone()),
        };
        OwnedObjects.Mark(native, binding, name, ns, BindingFields);
        wanted.Add((bindings, native));
        return wanted;
    }

    /// <summary>Deletes what the binding owns and does not want; what gives rights first.</summary>
    public async Task<IReadOnlyList<string>> RemoveOthersAsync(Resource binding, IReadOnlyList<(KindDefinition Kind, JsonObject Document)> wanted, CancellationToken ct)
    {
        var removed = new List<string>();
        foreach (var kind in new[] { "ClusterRoleBinding", "RoleBinding", "ClusterRole", "Role" }.Select(k => catalog[k]))
        {
            var others = context.Cache.List(kind, kind.IsNamespaced ? binding.Namespace : "")
                .Where(n => !n.IsDeleting && OwnedObjects.Owns(binding, n) && !wanted.Any(w => w.Kind == kind && w.Document.Text("metadata.name") == n.Name)).ToList();
            foreach (var other in others)
            {
                await context.Gateway.DeleteAsync(context.Actor, kind, other.Namespace, other.Name, new DeleteOptions { Uid = other.Uid }, ct);
                removed.Add($"{kind.Kind} {other.Name}");
            }
        }

        return removed;
    }

    public async Task<NativeState> ApplyAsync(Resource binding, IReadOnlyList<(KindDefinition Kind, JsonObject Document)> wanted, CancellationToken ct)
    {
        (string, string)? problem = null;
        var (drift, repaired) = (new List<string>(), new List<string>());
        foreach (var (kind, document) in wanted)
        {
            var (name, fields) = (document.Text("metadata.name")!, kind.Kind.EndsWith("Binding", StringComparison.Ordinal) ? BindingFields : RoleFields);
            var ns = kind.IsNamespaced ? binding.Namespace : "";
            try
            {
                if (context.Cache.Get(kind, ns, name) is not { } native)
                {
                    await context.Gateway.CreateAsync(context.Actor, kind, ns, document, Options, ct);
                    if (binding.FindCondition(AgentRoleBindingKind.NativeBindingSynced) is { Status: Condition.True }) repaired.Add($"{kind.Kind} {name}");
                    continue;
                }

                if (!OwnedObjects.Owns(binding, native)) problem ??= ("External", $"{kind.Kind} {name} was made by somebody else and stays as it is; name another in spec.nativeRoleBindingName.");
                else if (native.IsDeleting) problem ??= ("Deleting", $"{kind.Kind} {name} is being deleted; it is made anew when it is gone.");
                else if (!JsonNode.DeepEquals(native.Body["roleRef"], document["roleRef"])) problem ??= await ReplaceAsync(native, ct);
                else if (OwnedObjects.Digest(native.Body, fields) == OwnedObjects.Digest(document, fields) && OwnedObjects.IsMarkedAs(native, document)) continue;
                else if (!OwnedObjects.IsUntouched(native, fields) && Added(native, document) is { } added) drift.Add($"{kind.Kind} {name} {added}");
                else
                {
                    if (!OwnedObjects.IsUntouched(native, fields)) repaired.Add($"{kind.Kind} {name}");
                    await context.Gateway.UpdateAsync(context.Actor, kind, ns, name, OwnedObjects.PutRight(native, document, fields), Options, ct);
                }
            }
            catch (ApiException e) when (e.Code is 400 or 403 or 422)
            {
                problem ??= ("Refused", $"{kind.Kind} {name} could not be written: {e.Message}");
            }
        }

        return new(problem, drift.Count > 0 ? string.Join("; ", drift) : null, repaired);
    }

    /// <summary>A binding keeps its role for life; the next look makes it anew.</summary>
    private async Task<(string, string)> ReplaceAsync(Resource native, CancellationToken ct)
    {
        await context.Gateway.DeleteAsync(context.Actor, native.Kind, native.Namespace, native.Name, new DeleteOptions { Uid = native.Uid }, ct);
        return ("Replacing", $"{native.Kind.Kind} {native.Name} points at another role and is made anew.");
    }

    /// <summary>What a hand gave that the binding does not say; null when it only took something away.</summary>
    private static string? Added(Resource native, JsonObject wanted)
    {
        if (native.Body["subjects"] is JsonArray subjects)
        {
            var meant = (wanted["subjects"] as JsonArray ?? []).ToList();
            var more = subjects.OfType<JsonObject>().FirstOrDefault(s => !meant.Any(m => JsonNode.DeepEquals(m, s)));
            return more is null ? null : $"also gives the role to {more.Text("kind")} {more.Text("name")}";
        }

        try
        {
            var more = RbacCoverage.Missing(RbacRules.Read(wanted), RbacRules.Read(native.Body));
            return more.Count == 0 ? null : $"also gives {RbacCoverage.Text(more[0])}";
        }
        catch (ArgumentException)
        {
            return $"gives more than {RbacCoverage.MaxSpread} permissions";
        }
    }
}
