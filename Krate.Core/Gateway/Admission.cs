using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Core.Store;

namespace Krate.Core.Gateway;

/// <summary>
/// Judges and completes a document on its way in: schema, defaults, kind rules, org scope, labels, references, immutability,
/// known secret values. Authorisation comes before it, in the gateway.
/// </summary>
internal sealed class Admission(IResourceStore store, IResourceCache cache, KindCatalog catalog, OrgScope orgs, RepositoryScope repositories, RbacEscalation escalation, RepositoryAdmission repositoryAdmission, SecretVault vault, TimeProvider time)
{
    /// <summary>As etcd's default request limit.</summary>
    private const int MaxDocumentBytes = 1_500_000;
    private const int SecretRefusalsPerMinute = 10;
    private readonly ConcurrentDictionary<string, (long Minute, int Count)> secretRefusals = new(StringComparer.Ordinal);

    /// <summary>apiVersion, kind, name and namespace agree with the door the document came through.</summary>
    public static void CheckEnvelope(KindDefinition kind, JsonObject document, string ns, string? name)
    {
        Agree("apiVersion", document.Text("apiVersion") ?? (document["apiVersion"] is null ? kind.ApiVersion : "?"), kind.ApiVersion);
        Agree("kind", document.Text("kind") ?? (document["kind"] is null ? kind.Kind : "?"), kind.Kind);
        document["apiVersion"] = kind.ApiVersion;
        document["kind"] = kind.Kind;
        if (document["metadata"] is not null and not JsonObject) throw ApiException.BadRequest("metadata must be an object");
        CheckShape(kind, document);
        var metadata = document.Child("metadata");
        if (kind.IsNamespaced)
        {
            if (metadata.Text("namespace") is { Length: > 0 } given && given != ns)
                throw ApiException.BadRequest($"the namespace of the provided object does not match the namespace sent on the request ({given} is not {ns})");
            if (ns.Length == 0) throw ApiException.BadRequest($"{kind.Kind} needs a namespace");
            metadata["namespace"] = ns;
        }
        else
        {
            metadata.Remove("namespace");
        }

        if (name is null) return;
        if (metadata.Text("name") is { Length: > 0 } other && other != name)
            throw ApiException.BadRequest($"the name of the object ({other}) does not match the name on the URL ({name})");
        metadata["name"] = name;

        static void Agree(string field, string given, string expected)
        {
            if (given != expected) throw ApiException.BadRequest($"{field} is \"{given}\" where \"{expected}\" is expected");
        }
    }

    /// <summary>What admission itself writes into must have its type: a wrong one would be replaced without a word.</summary>
    private static void CheckShape(KindDefinition kind, JsonObject document)
    {
        string[] objects = kind.IsProduct ? ["metadata.labels", "metadata.annotations", "spec", "status"] : ["metadata.labels", "metadata.annotations"];
        var wrong = objects.Where(p => document.At(p) is not (null or JsonObject)).Select(p => (Path: p, Type: "an object"))
            .Concat(new[] { "metadata.finalizers", "metadata.ownerReferences", "metadata.managedFields" }.Where(p => document.At(p) is not (null or JsonArray)).Select(p => (Path: p, Type: "a list")))
            .Select(w => new FieldError("FieldValueTypeInvalid", w.Path, $"must be {w.Type}")).ToArray();
        if (wrong.Length > 0) throw ApiException.Invalid(kind, document.Text("metadata.name") ?? "", wrong);
    }

    /// <summary>What the kind refuses before all else; then unknown fields: refused, warned about or dropped. Changes the document.</summary>
    public static void Prune(KindDefinition kind, JsonObject document, WriteOptions options)
    {
        if (kind.Inspect?.Invoke(document).ToList() is { Count: > 0 } refused) throw ApiException.Invalid(kind, document.Text("metadata.name") ?? "", refused);
        var unknown = SchemaValidator.Prune(kind, document);
        if (unknown.Count == 0 || options.FieldValidation == FieldValidation.Ignore) return;
        if (options.FieldValidation == FieldValidation.Strict)
            throw ApiException.BadRequest($"{kind.Kind} in version \"{kind.Version}\" cannot be handled as a {kind.Kind}: strict decoding error: {string.Join(", ", unknown.Select(u => $"unknown field \"{u}\""))}");
        foreach (var field in unknown) options.Warn?.Invoke($"unknown field \"{field}\"");
    }

    /// <summary>Everything a new document goes through after <see cref="Prune"/>. Changes the document.</summary>
    public async Task AdmitCreateAsync(Actor actor, KindDefinition kind, JsonObject document, string ns, CancellationToken ct)
    {
        await CheckNamespaceAsync(kind, ns, ct);
        kind.Default?.Invoke(document);
        orgs.Apply(kind, document, ns);
        if (kind.Kind == "Organization") CompleteOrganization(actor, kind, document);
        if (kind.Kind == "Repository" && !actor.IsServer) document.Child("metadata").Child("annotations")[CreatedByAnnotation] = actor.User;
        if (kind is { Kind: "Namespace", Group: "" }) CompleteNamespace(document);
        if (kind.Authored && !actor.IsServer) Sign(actor, kind, document);
        await CompleteLabelsAsync(kind, document, ns, ct);
        Mentions.Complete(kind, document);
        Authors.Complete(actor, kind, null, document);
        CheckDocument(kind, document);
        orgs.CheckReferences(kind, document);
        await CheckRequiredReferencesAsync(actor, kind, document, ns, ct);
        if (!actor.IsServer) Guard(actor, kind, document, null);
        await CheckSecretsAsync(actor, kind, document, ns, ct);
    }

    /// <summary>Everything a changed document goes through. Changes the document.</summary>
    public async Task AdmitUpdateAsync(Actor actor, KindDefinition kind, Resource before, JsonObject document, string subresource, CancellationToken ct)
    {
        if (subresource.Length == 0)
        {
            kind.Default?.Invoke(document);
            orgs.Apply(kind, document, before.Namespace);
            await CompleteLabelsAsync(kind, document, before.Namespace, ct);
        }
        else
        {
            foreach (var derived in kind.DerivedLabels.Where(d => d.IsOfStatus)) OrgScope.SetLabel(kind, document, derived.Label, derived.ValueFor(document));
        }

        Mentions.Complete(kind, document);
        if (subresource.Length == 0) Authors.Complete(actor, kind, before.Body, document);
        CheckDocument(kind, document);
        // A sharing that ended since is told in the status; it must not keep the status, or the end of a deletion, from being written.
        if (!JsonNode.DeepEquals(before.Body["spec"], document["spec"])) orgs.CheckReferences(kind, document);
        CheckImmutable(kind, before, document);
        if (!actor.IsServer) Guard(actor, kind, document, before.Body);
        await CheckSecretsAsync(actor, kind, document, before.Namespace, ct);
    }

    /// <summary>What nobody may give others without holding it.</summary>
    private void Guard(Actor actor, KindDefinition kind, JsonObject document, JsonObject? before)
    {
        escalation.Check(actor, kind, document, before);
        repositoryAdmission.Check(actor, kind, document, before);
        OrganizationAdmission.Check(actor, kind, document, before);
    }

    /// <summary>An organization with repositories is deleted only by someone who names it, and keeps its owners until then.</summary>
    public async Task CheckDeleteAsync(Resource resource, CancellationToken ct)
    {
        if (resource.Kind is { Kind: "Namespace", Group: "" } && resource.Name is WellKnown.PlatformNamespace or "default")
            throw ApiException.Forbidden($"namespaces \"{resource.Name}\" is forbidden: this namespace may not be deleted");
        if (resource.Kind is { Kind: "Namespace", Group: "" } && orgs.OrgOf(resource.Name) is { } org)
            throw ApiException.Forbidden($"namespaces \"{resource.Name}\" is forbidden: it belongs to organization {org} and goes with it (kubectl delete organization {org} -n {WellKnown.PlatformNamespace})");
        if (resource.Kind.Kind == "Team") OrganizationAdmission.CheckDelete(resource, isEnding: cache.Get(catalog["Organization"], WellKnown.PlatformNamespace, orgs.OrgOf(resource.Namespace) ?? "") is null or { IsDeleting: true });
        if (resource.Kind.Kind != "Organization" || resource.Annotation(WellKnown.ConfirmDeleteAnnotation) == resource.Name) return;
        var repositories = await store.CountAsync(new ListQuery(catalog["Repository"], resource.Body.Text("spec.namespaceName") ?? ""), ct);
        if (repositories > 0)
            throw ApiException.Invalid(resource.Kind, resource.Name, new FieldError("FieldValueForbidden", "metadata.annotations", $"{repositories} repositories would go with it; annotate the organization with {WellKnown.ConfirmDeleteAnnotation}={resource.Name} first"));
    }

    private static void Sign(Actor actor, KindDefinition kind, JsonObject document)
    {
        var spec = document.Child("spec");
        if (spec.Text("author") is { Length: > 0 } other && other != actor.User)
            throw ApiException.Invalid(kind, document.Text("metadata.name") ?? "", new FieldError("FieldValueForbidden", "spec.author", $"you are {actor.User}; leave it out"));
        spec["author"] = actor.User;
    }

    private static void CheckDocument(KindDefinition kind, JsonObject document)
    {
        var name = document.Text("metadata.name") ?? "";
        var errors = SchemaValidator.Validate(kind, document).ToList();
        // Rules read typed fields: they only make sense once the shape is right.
        if (errors.Count == 0 && kind.Validate is { } rules) errors.AddRange(rules(document));
        if (errors.Count > 0) throw ApiException.Invalid(kind, name, errors);
        if (KrateJson.ToText(document).Length > MaxDocumentBytes)
            throw new ApiException(413, "RequestEntityTooLarge", $"{kind.Kind} \"{name}\" is larger than {MaxDocumentBytes} bytes") { Subject = (kind.Group, kind.Kind, name) };
    }

    private static void CheckImmutable(KindDefinition kind, Resource before, JsonObject document)
    {
        var errors = new List<FieldError>();
        var old = before.Body["spec"] as JsonObject ?? [];
        var now = document["spec"] as JsonObject ?? [];
        foreach (var field in old.Select(f => f.Key).Union(now.Select(f => f.Key)))
        {
            var isFixed = kind.Mutability != SpecMutability.Mutable ? !kind.MutableSpecFields.Contains(field) : kind.FixedSpecFields.Contains(field) || (kind.IsProduct && field == "organizationRef");
            if (isFixed && !JsonNode.DeepEquals(old[field], now[field])) errors.Add(new("FieldValueInvalid", $"spec.{field}", "field is immutable"));
        }

        var oldStatus = before.Body["status"] as JsonObject ?? [];
        foreach (var field in oldStatus.Select(f => f.Key))
        {
            var isFixed = kind.Mutability == SpecMutability.Whole || kind.WriteOnceStatus.Contains(field) || field == "storage";
            if (isFixed && oldStatus[field] is not null && !JsonNode.DeepEquals(oldStatus[field], document.At($"status.{field}"))) errors.Add(new("FieldValueInvalid", $"status.{field}", "field is immutable"));
        }

        foreach (var field in new[] { "roleRef", "type" })
            if (!kind.IsProduct && before.Body[field] is { } was && !JsonNode.DeepEquals(was, document[field])) errors.Add(new("FieldValueInvalid", field, "field is immutable"));
        if (kind.Kind is "Secret" or "ConfigMap" && before.Body["immutable"]?.GetValueKind() == System.Text.Json.JsonValueKind.True)
        {
            foreach (var field in new[] { "immutable", "data", "binaryData" })
                if (!JsonNode.DeepEquals(before.Body[field], document[field])) errors.Add(new("FieldValueForbidden", field, "field is immutable when `immutable` is set"));
        }

        if (errors.Count > 0) throw ApiException.Invalid(kind, before.Name, errors);
    }

    private async Task CheckNamespaceAsync(KindDefinition kind, string ns, CancellationToken ct)
    {
        if (!kind.IsNamespaced) return;
        var namespaces = catalog["Namespace"];
        var target = cache.Get(namespaces, "", ns) ?? await store.GetAsync(namespaces, "", ns, ct);
        if (target is null) throw ApiException.NotFound(namespaces, ns);
        if (target.IsDeleting)
            throw ApiException.Forbidden($"unable to create new content in namespace {ns} because it is being terminated");
    }

    private void CompleteOrganization(Actor actor, KindDefinition kind, JsonObject document)
    {
        var name = document.Text("metadata.name") ?? "";
        var spec = document.Child("spec");
        spec["slug"] ??= name;
        spec["namespaceName"] ??= WellKnown.OrgNamespace(spec.Text("slug") ?? name);
        var ns = spec.Text("namespaceName");
        if (spec.Text("slug") is { } slug && slug != name)
            throw ApiException.Invalid(kind, name, new FieldError("FieldValueInvalid", "spec.slug", $"must equal metadata.name ({name}): routes and groups use it"));
        if (ns is WellKnown.PlatformNamespace or "default" or "kube-system" || cache.List(kind).Any(o => o.Body.Text("spec.namespaceName") == ns && o.Name != name))
            throw ApiException.Invalid(kind, name, new FieldError("FieldValueDuplicate", "spec.namespaceName", $"namespace {ns} is taken"));
        document.Child("metadata").Child("annotations")[CreatedByAnnotation] = actor.User;
        var finalizers = document.Child("metadata")["finalizers"] as JsonArray ?? [];
        if (!finalizers.Any(f => f?.GetValue<string>() == WellKnown.OrgFinalizer)) finalizers.Add(WellKnown.OrgFinalizer);
        if (finalizers.Parent is null) document.Child("metadata")["finalizers"] = finalizers;
    }

    /// <summary>Who created an organization or a repository; its first owner.</summary>
    public const string CreatedByAnnotation = WellKnown.ApiGroup + "/created-by";

    private static void CompleteNamespace(JsonObject document)
    {
        var metadata = document.Child("metadata");
        metadata.Child("labels")["kubernetes.io/metadata.name"] = metadata.Text("name");
        if (!metadata.Texts("finalizers").Contains("kubernetes")) metadata["finalizers"] = new JsonArray([.. metadata.Texts("finalizers").Append("kubernetes").Select(f => (JsonNode)f)]);
        document["status"] = new JsonObject { ["phase"] = "Active" };
    }

    private async Task CompleteLabelsAsync(KindDefinition kind, JsonObject document, string ns, CancellationToken ct)
    {
        if (!kind.IsProduct) return;
        foreach (var derived in kind.DerivedLabels) OrgScope.SetLabel(kind, document, derived.Label, derived.ValueFor(document));

        if (kind.RepositoryPath is not null) OrgScope.SetLabel(kind, document, WellKnown.RepositoryLabel, await RepositoryOfAsync(kind, document, ns, ct));
        if (document.At("metadata.labels") is JsonObject { Count: 0 }) document.Child("metadata").Remove("labels");
    }

    /// <summary>The repository a document belongs to: its own field, or that of the resource it refers to.</summary>
    private async Task<string?> RepositoryOfAsync(KindDefinition kind, JsonObject document, string ns, CancellationToken ct)
    {
        var path = kind.RepositoryPath!;
        var (targetKind, name) = document.At(path) is JsonObject named
            ? (named.Text("kind"), named.Text("name"))
            : (kind.References.FirstOrDefault(r => r.Path == path)?.TargetKind ?? "Repository", document.Text(path));
        if (name is null || targetKind is null) return null;
        if (targetKind == "Repository") return MetadataRules.IsLabelValue(name) ? name : null;
        return catalog.Find(targetKind) is { } target && await store.GetAsync(target, ns, name, ct) is { } referred ? referred.Label(WellKnown.RepositoryLabel) : null;
    }

    /// <summary>What the actor may not see is missing, in the same words as what is not there. Owners are written down.</summary>
    private async Task CheckRequiredReferencesAsync(Actor actor, KindDefinition kind, JsonObject document, string ns, CancellationToken ct)
    {
        if (!kind.IsExecution) return;
        var errors = new List<FieldError>();
        foreach (var reference in kind.References.Where(r => r.Required))
        {
            foreach (var target in reference.Read(document, catalog).Where(t => !t.Name.Contains('@', StringComparison.Ordinal)))
            {
                var targetNs = target.Kind.Scope switch { KindScope.Platform => WellKnown.PlatformNamespace, KindScope.Cluster => "", _ => ns };
                if (await store.GetAsync(target.Kind, targetNs, target.Name, ct) is not { } found || !(actor.IsServer || repositories.Sees(actor, found)))
                    errors.Add(new("FieldValueNotFound", target.Field, $"there is no {target.Kind.Kind} named {target.Name} that you may see"));
                else if (reference.IsOwner && RunPhase.IsTerminal(found.Body.Text("status.phase")) && !actor.IsServer)
                    errors.Add(new("FieldValueForbidden", target.Field, $"{target.Kind.Kind} {target.Name} has ended ({found.Body.Text("status.phase")}); make another one"));
                else if (reference.IsOwner)
                    OwnerReference.Add(document, found);
            }
        }

        if (errors.Count > 0) throw ApiException.Invalid(kind, document.Text("metadata.name") ?? "", errors);
    }

    private async Task CheckSecretsAsync(Actor actor, KindDefinition kind, JsonObject document, string ns, CancellationToken ct)
    {
        if (ns.Length == 0 || SecretDocuments.IsSecret(kind)) return;
        if (await vault.FindKnownValueAsync(ns, document, ct) is not { } field) return;
        var minute = time.GetUtcNow().ToUnixTimeSeconds() / 60;
        var (_, count) = secretRefusals.AddOrUpdate(actor.User, _ => (minute, 1), (_, was) => was.Minute == minute ? (minute, was.Count + 1) : (minute, 1));
        if (count > SecretRefusalsPerMinute) throw ApiException.TooManyRequests("too many refused documents; wait a minute", 60);
        throw ApiException.Invalid(kind, document.Text("metadata.name") ?? "", new FieldError("SECRET_VALUE_REJECTED", field, "contains a value that is kept in a Secret; refer to the Secret instead"));
    }
}
