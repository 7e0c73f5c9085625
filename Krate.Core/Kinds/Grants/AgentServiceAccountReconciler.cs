using System.Text.Json.Nodes;
using Krate.Core.ControlPlane;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Grants;

/// <summary>
/// Gives an AgentServiceAccount its native ServiceAccount, which it owns and which goes with it. One that somebody else made is used as it is: neither
/// changed nor deleted.
/// </summary>
internal sealed class AgentServiceAccountReconciler(KindCatalog catalog, EventRecorder events) : IReconciler
{
    private static readonly string[] KeptFields = ["automountServiceAccountToken", "imagePullSecrets"];
    private static readonly string[] PullSecretTypes = ["kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"];
    private static readonly WriteOptions Options = new() { FieldManager = "krate-control-plane" };
    private readonly KindDefinition accounts = catalog["ServiceAccount"];

    public string Name => "agent-service-account";

    public KindDefinition For { get; } = catalog["AgentServiceAccount"];

    public IReadOnlyList<WakeUp> WakeUps { get; } =
    [
        new(catalog["ServiceAccount"], (r, cache) => cache.List(catalog["AgentServiceAccount"], r.Namespace).Where(a => a.Body.Text("spec.serviceAccountName") == r.Name || OwnedObjects.Owns(a, r)).Select(a => a.Key)),
        new(catalog["Secret"], (r, cache) => cache.List(catalog["AgentServiceAccount"], r.Namespace).Where(a => a.Body.Texts("spec.imagePullSecretRefs").Contains(r.Name)).Select(a => a.Key)),
    ];

    public async Task<Outcome> ReconcileAsync(ResourceKey key, Resource? resource, ReconcileContext context, CancellationToken ct)
    {
        if (resource is null || resource.IsDeleting) return Outcome.Done;
        await RemoveOthersAsync(resource, context, ct);
        var synced = await TrySyncAsync(resource, context, ct);
        var native = context.Cache.Get(accounts, resource.Namespace, NativeName(resource));
        List<Condition> conditions = [synced, TokenProjection(native), PullSecrets(resource, context.Cache)];
        var problem = conditions.Find(c => c.Status == Condition.False);
        conditions.Add(problem is null ? new(Condition.Ready, Condition.True, "Ready", "The identity may be used.") : new(Condition.Ready, Condition.False, problem.Reason, problem.Message));
        await ReportAsync(resource, conditions, context, ct);
        return Outcome.Done;
    }

    private static string NativeName(Resource identity) => identity.Body.Text("spec.serviceAccountName") ?? "";

    /// <summary>The ServiceAccount that the identity had before it named another.</summary>
    private async Task RemoveOthersAsync(Resource identity, ReconcileContext context, CancellationToken ct)
    {
        foreach (var old in context.Cache.List(accounts, identity.Namespace).Where(a => a.Name != NativeName(identity) && !a.IsDeleting && OwnedObjects.Owns(identity, a)).ToList())
            await context.Gateway.DeleteAsync(context.Actor, accounts, old.Namespace, old.Name, new DeleteOptions { Uid = old.Uid }, ct);
    }

    private async Task<Condition> TrySyncAsync(Resource identity, ReconcileContext context, CancellationToken ct)
    {
        try
        {
            return await SyncAsync(identity, context, ct);
        }
        catch (ApiException e) when (e.Code is 400 or 403 or 422)
        {
            return new(AgentServiceAccountKind.ServiceAccountSynced, Condition.False, "Refused", $"ServiceAccount {identity.Namespace}/{NativeName(identity)} could not be written: {e.Message}");
        }
    }

    private async Task<Condition> SyncAsync(Resource identity, ReconcileContext context, CancellationToken ct)
    {
        const string Type = AgentServiceAccountKind.ServiceAccountSynced;
        var name = NativeName(identity);
        var words = $"ServiceAccount {identity.Namespace}/{name}";
        var wanted = Document(identity);
        if (context.Cache.Get(accounts, identity.Namespace, name) is not { } native)
        {
            await context.Gateway.CreateAsync(context.Actor, accounts, identity.Namespace, wanted, Options, ct);
            await events.NormalAsync(context, identity, "Created", $"Created {words}", ct);
            return new(Type, Condition.True, "Synced", $"{words} is kept as the identity says.");
        }

        if (native.IsDeleting) return new(Type, Condition.False, "Deleting", $"{words} is being deleted; it is made anew when it is gone.");
        if (!OwnedObjects.Owns(identity, native))
        {
            return context.Cache.List(For, identity.Namespace).FirstOrDefault(o => OwnedObjects.Owns(o, native)) is { } other
                ? new(Type, Condition.False, "OwnedByAnother", $"{words} belongs to AgentServiceAccount {other.Name}; name another in spec.serviceAccountName.")
                : new(Type, Condition.True, "External", $"{words} was made by somebody else; it is used as it is, and not changed.");
        }

        if (OwnedObjects.Digest(native.Body, KeptFields) != OwnedObjects.Digest(wanted, KeptFields) || !OwnedObjects.IsMarkedAs(native, wanted))
            await context.Gateway.UpdateAsync(context.Actor, accounts, native.Namespace, native.Name, OwnedObjects.PutRight(native, wanted, KeptFields), Options, ct);
        return new(Type, Condition.True, "Synced", $"{words} is kept as the identity says.");
    }

    private static JsonObject Document(Resource identity)
    {
        var document = new JsonObject { ["automountServiceAccountToken"] = identity.Body.Flag("spec.automountServiceAccountToken") };
        var secrets = identity.Body.Texts("spec.imagePullSecretRefs").Distinct(StringComparer.Ordinal).ToList();
        if (secrets.Count > 0) document["imagePullSecrets"] = new JsonArray([.. secrets.Select(s => (JsonNode)new JsonObject { ["name"] = s })]);
        OwnedObjects.Mark(document, identity, NativeName(identity), identity.Namespace, KeptFields);
        foreach (var part in (string[])["kind", "name"])
            if (identity.Body.Text($"spec.owner.{part}") is { Length: > 0 } owner) document.Child("metadata").Child("annotations")[$"{WellKnown.ApiGroup}/owner-{part}"] = owner;
        return document;
    }

    private static Condition TokenProjection(Resource? native)
    {
        const string Type = AgentServiceAccountKind.TokenProjectionAllowed;
        if (native is null) return new(Type, Condition.Unknown, "MissingServiceAccount", "There is no ServiceAccount to make tokens for.");
        return native.Body.Flag("automountServiceAccountToken")
            ? new(Type, Condition.False, "TokenProjectionForbidden", $"ServiceAccount {native.Namespace}/{native.Name} puts a token into every process that runs as it; set automountServiceAccountToken to false.")
            : new(Type, Condition.True, "OnDemand", "Tokens are made on demand, for an audience and a time.");
    }

    private Condition PullSecrets(Resource identity, IResourceCache cache)
    {
        const string Type = AgentServiceAccountKind.ImagePullSecretsReady;
        var names = identity.Body.Texts("spec.imagePullSecretRefs").Distinct(StringComparer.Ordinal).ToList();
        if (names.Count == 0) return new(Type, Condition.True, "NoneRequired", "The identity names no Secret for pulling images.");
        foreach (var name in names)
        {
            if (cache.Get(catalog["Secret"], identity.Namespace, name) is not { IsDeleting: false } secret) return new(Type, Condition.False, "SecretMissing", $"Secret {identity.Namespace}/{name} does not exist.");
            if (!PullSecretTypes.Contains(secret.Body.Text("type"))) return new(Type, Condition.False, "SecretTypeInvalid", $"Secret {identity.Namespace}/{name} is of type {secret.Body.Text("type")}; one for pulling images is of type {PullSecretTypes[0]}.");
        }

        return new(Type, Condition.True, "SecretsFound", $"{string.Join(", ", names)} {(names.Count == 1 ? "is" : "are")} there.");
    }

    private async Task ReportAsync(Resource identity, List<Condition> conditions, ReconcileContext context, CancellationToken ct)
    {
        var ready = conditions[^1];
        var before = identity.FindCondition(Condition.Ready);
        var written = await context.WriteStatusAsync(identity, StatusWriter.Status(ready.Status == Condition.True ? "Ready" : "Blocked", conditions), ct);
        if (before?.Status == ready.Status && before.Reason == ready.Reason) return;
        if (ready.Status == Condition.True) await events.NormalAsync(context, written, ready.Reason, ready.Message, ct);
        else await events.WarningAsync(context, written, ready.Reason, ready.Message, ct);
    }
}
