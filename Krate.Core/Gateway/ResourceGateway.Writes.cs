using System.Globalization;
using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Krate.Core.Store;

namespace Krate.Core.Gateway;

internal sealed partial class ResourceGateway
{
    private const int MaxAttempts = 8;
    private long lastOrder;

    public async Task<Resource> CreateAsync(Actor actor, KindDefinition kind, string ns, JsonObject document, WriteOptions options, CancellationToken ct)
    {
        if (kind.CreateOnly) return await AnswerReviewAsync(actor, kind, ns, document.Copy(), ct);
        await AuthorizeWriteAsync(actor, "create", kind, ns, "", "", ct);
        return await CreateAdmittedAsync(actor, kind, ns, document.Copy(), options, tracked: false, ct);
    }

    public async Task<Resource> UpdateAsync(Actor actor, KindDefinition kind, string ns, string name, JsonObject document, WriteOptions options, CancellationToken ct)
    {
        await AuthorizeWriteAsync(actor, "update", kind, ns, name, options.Subresource, ct);
        CheckVersionText(document);
        for (var attempt = 1; ; attempt++)
        {
            var before = await FindVisibleAsync(actor, kind, ns, name, ct);
            var next = document.Copy();
            if (SecretDocuments.IsSecret(kind)) SecretDocuments.KeepAbsentKeys(next, before);
            try
            {
                return await ReplaceAsync(actor, "update", before, next, options, tracked: false, ct);
            }
            catch (ApiException e) when (e.Reason == "Conflict" && attempt < MaxAttempts && IsUnconditional(document))
            {
                // Another write came between; the caller said that whatever is there may be replaced.
            }
        }
    }

    public async Task<(Resource Resource, bool Created)> PatchAsync(Actor actor, KindDefinition kind, string ns, string name, Patch patch, WriteOptions options, CancellationToken ct)
    {
        await AuthorizeWriteAsync(actor, "patch", kind, ns, name, options.Subresource, ct);
        var isSecret = SecretDocuments.IsSecret(kind);
        for (var attempt = 1; ; attempt++)
        {
            var before = await store.GetAsync(kind, ns, name, ct);
            if (before is not null && !repositories.Sees(actor, before)) before = null;
            try
            {
                if (before is null)
                {
                    if (patch.Type != PatchType.Apply || options.Subresource.Length > 0) throw ApiException.NotFound(kind, name);
                    await AuthorizeWriteAsync(actor, "create", kind, ns, "", "", ct);
                    var made = (isSecret ? await SettledAsync(patch, null, kind, ct) : patch).ApplyTo(null, kind, time.GetUtcNow());
                    CheckName(made, name);
                    return (await CreateAdmittedAsync(actor, kind, ns, made, options, tracked: true, ct), true);
                }

                var live = isSecret ? SecretDocuments.WithPlaceholders(before) : before.Edit();
                var next = (isSecret ? await SettledAsync(patch, before, kind, ct) : patch).ApplyTo(live, kind, time.GetUtcNow(), options.Subresource);
                return (await ReplaceAsync(actor, "patch", before, next, options, tracked: patch.Type == PatchType.Apply, ct), false);
            }
            catch (ApiException e) when (e is { Code: 409, Reason: "Conflict" or "AlreadyExists", Causes.Count: 0 } && attempt < MaxAttempts && IsUnconditional(patch.Document as JsonObject))
            {
                // Another write came between: the patch is worked out anew on what is there now.
            }
        }
    }

    public async Task<DeleteResult> DeleteAsync(Actor actor, KindDefinition kind, string ns, string name, DeleteOptions options, CancellationToken ct)
    {
        await AuthorizeWriteAsync(actor, "delete", kind, ns, name, "", ct);
        for (var attempt = 1; ; attempt++)
        {
            var before = await FindVisibleAsync(actor, kind, ns, name, ct);
            if (options.Uid is { } uid && uid != before.Uid) throw ApiException.Conflict(kind, name, $"the UID in the precondition ({uid}) does not match the UID in record ({before.Uid})");
            if (options.ResourceVersion is { } version && version != before.Version) throw ApiException.Conflict(kind, name, $"the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record ({before.Version})");
            if (!actor.IsServer) await admission.CheckDeleteAsync(before, ct);
            try
            {
                return await RemoveAsync(actor, before, options, ct);
            }
            catch (ApiException e) when (e.Reason == "Conflict" && attempt < MaxAttempts && options.ResourceVersion is null)
            {
                // Another write came between.
            }
        }
    }

    private static bool IsUnconditional(JsonObject? document) => document is null || string.IsNullOrEmpty(document.Text("metadata.resourceVersion"));

    private static void CheckVersionText(JsonObject document)
    {
        if (document.Text("metadata.resourceVersion") is { Length: > 0 } text && !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            throw ApiException.BadRequest($"metadata.resourceVersion \"{text}\" is no resource version");
    }

    private static void CheckName(JsonObject document, string name)
    {
        if (document.Text("metadata.name") is { Length: > 0 } given && given != name) throw ApiException.BadRequest($"the name of the object ({given}) does not match the name on the URL ({name})");
        document.Child("metadata")["name"] = name;
    }

    private async Task AuthorizeWriteAsync(Actor actor, string verb, KindDefinition kind, string ns, string name, string subresource, CancellationToken ct)
    {
        if (kind.ReadOnly || kind.CreateOnly) throw ApiException.MethodNotAllowed(kind, verb);
        if (subresource is not ("" or "status")) throw ApiException.NotFound(kind, $"{name}/{subresource}");
        if (subresource == "status" && !kind.HasStatus) throw ApiException.NotFound(kind, $"{name}/status");
        await AuthorizeAsync(actor, verb, kind, ns, name, subresource, ct);
        if (actor.IsServer || !(kind.ServerMade || (kind.ServerStatus && subresource == "status"))) return;
        var request = new AccessRequest { Verb = verb, Group = kind.Group, Resource = kind.Plural, Subresource = subresource, Namespace = ns, Name = name };
        var reason = kind.ServerMade
            ? $"{kind.Kind} resources are made by Krate only; no client may {verb} them, whatever its RBAC"
            : $"the status of a {kind.Kind} is written by Krate only{(kind.Actions.Count > 0 ? $"; say how it goes by its actions ({string.Join(", ", kind.Actions)})" : "")}";
        await audit.DeniedAsync(actor, request, kind, reason, ct);
        throw new ApiException(403, "Forbidden", $"{kind.QualifiedPlural} is forbidden: {reason}") { Subject = (kind.Group, kind.Plural, name), ProductCode = "POLICY_DENIED" };
    }

    /// <param name="tracked">managedFields are already right (server-side apply).</param>
    private async Task<Resource> CreateAdmittedAsync(Actor actor, KindDefinition kind, string ns, JsonObject document, WriteOptions options, bool tracked, CancellationToken ct)
    {
        Admission.CheckEnvelope(kind, document, ns, null);
        var metadata = document.Child("metadata");
        if (!string.IsNullOrEmpty(metadata.Text("resourceVersion"))) throw ApiException.BadRequest("resourceVersion should not be set on objects to be created");
        var fields = metadata["managedFields"]?.DeepClone();
        foreach (var own in new[] { "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "resourceVersion", "selfLink", "managedFields" }) metadata.Remove(own);
        if (kind.HasStatus && !actor.IsServer) document.Remove("status");
        if (SecretDocuments.IsSecret(kind)) SecretDocuments.Normalise(document, kind);
        Admission.Prune(kind, document, options);

        if (string.IsNullOrEmpty(metadata.Text("name")) && (!string.IsNullOrEmpty(metadata.Text("generateName")) || (kind.NamePrefix is not null && !kind.Numbered)))
            metadata["name"] = NewName(kind, metadata.Text("generateName"));
        await admission.AdmitCreateAsync(actor, kind, document, ns, ct);
        // Nobody may see a repository that is not there yet.
        if (kind.Kind != "Repository") CheckRepository(actor, kind, ns, document);

        var uid = Guid.NewGuid().ToString();
        metadata["uid"] = uid;
        metadata["creationTimestamp"] = Timestamps.Format(time.GetUtcNow());
        if (kind.IsProduct)
        {
            metadata["generation"] = 1L;
            if (kind.HasStatus) document.Child("status")["storage"] = kind.Storage;
            if (kind.FirstPhase is { } first) document.Child("status")["phase"] ??= first;
            if (kind.OrderedByCreation) document.Child("status")["order"] = NextOrder();
        }

        var more = !actor.IsServer && steps.FirstOrDefault(s => s.Kind == kind.Kind) is { } step ? await step.CompleteAsync(actor, document, options.DryRun, ct) : [];
        if (tracked) metadata["managedFields"] = fields;
        else if (!actor.IsServer) ManagedFields.TrackUpdate(null, document, options.FieldManager, "", time.GetUtcNow());
        var values = SecretDocuments.IsSecret(kind) ? secrets.TakeValues(document, null, uid, kind) : [];
        var write = Numbered(kind, ns, new CreateWrite(kind, ns, metadata.Text("name") ?? "", document) { SecretValues = values });
        if (options.DryRun)
        {
            if (write.Name.Length > 0 && await store.GetAsync(kind, ns, write.Name, ct) is not null) throw ApiException.AlreadyExists(kind, write.Name);
            return new Resource(kind, KrateJson.Settle(document));
        }

        var resource = new Resource(kind, document);
        return await CommitAsync(new(actor, "create", null, resource, "", []), write, ct, more);
    }

    /// <summary>Microseconds, rising in this process whatever the clock does: times of creation have only seconds.</summary>
    private long NextOrder()
    {
        var now = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        while (true)
        {
            var last = Volatile.Read(ref lastOrder);
            var next = Math.Max(now, last + 1);
            if (Interlocked.CompareExchange(ref lastOrder, next, last) == last) return next;
        }
    }

    /// <summary>Issues and pull requests share one number sequence per repository; a name that the client chose is kept.</summary>
    private static CreateWrite Numbered(KindDefinition kind, string ns, CreateWrite write)
    {
        if (!kind.Numbered) return write;
        var repository = write.Body.Text("spec.repository") ?? "";
        return write with
        {
            Counter = $"number/{ns}/{repository}",
            Numbered = number =>
            {
                var body = write.Body.Copy();
                body.Child("spec")["number"] = number;
                if (write.Name.Length == 0) body.Child("metadata")["name"] = string.Create(CultureInfo.InvariantCulture, $"{repository}-{number}");
                return body;
            },
        };
    }

    private async Task<Resource> ReplaceAsync(Actor actor, string verb, Resource before, JsonObject next, WriteOptions options, bool tracked, CancellationToken ct)
    {
        var kind = before.Kind;
        Admission.CheckEnvelope(kind, next, before.Namespace, before.Name);
        CheckPreconditions(before, next);
        var isSecret = SecretDocuments.IsSecret(kind);
        if (isSecret)
        {
            SecretDocuments.Normalise(next, kind);
            await secrets.SettleUnchangedAsync(next, before, ct);
        }

        Admission.Prune(kind, next, options);
        Restore(actor, kind, before, next, options.Subresource);
        if (!actor.IsServer) await CheckOwnershipAsync(actor, before, next, ct);
        await admission.AdmitUpdateAsync(actor, kind, before, next, options.Subresource, ct);
        CheckRepository(actor, kind, before.Namespace, next);

        var old = isSecret ? SecretDocuments.WithPlaceholders(before) : before.Body;
        if (!tracked && !actor.IsServer) ManagedFields.TrackUpdate(old, next, options.FieldManager, options.Subresource, time.GetUtcNow());
        if (Same(old, next)) return before;
        if (kind.IsProduct && !JsonNode.DeepEquals(before.Body["spec"], next["spec"])) next.Child("metadata")["generation"] = before.Generation + 1;
        var values = isSecret ? secrets.TakeValues(next, before, before.Uid, kind) : [];
        next.Child("metadata").Remove("resourceVersion");
        var resource = new Resource(kind, next);
        if (options.DryRun) return resource.WithVersion(before.Version);

        ResourceWrite write = before.IsDeleting && resource.Finalizers.Count == 0
            ? new DeleteWrite(kind, before.Namespace, before.Name, before.Uid, before.Version)
            : new UpdateWrite(kind, before.Namespace, before.Name, before.Uid, before.Version, next) { SecretValues = values };
        return await CommitAsync(new(actor, verb, before, resource, options.Subresource, options.Records), write, ct);
    }

    private static void CheckPreconditions(Resource before, JsonObject next)
    {
        if (next.Text("metadata.resourceVersion") is { Length: > 0 } expected && expected != before.Metadata.Text("resourceVersion"))
            throw ApiException.Conflict(before.Kind, before.Name);
        if (next.Text("metadata.uid") is { Length: > 0 } uid && uid != before.Uid)
            throw ApiException.Conflict(before.Kind, before.Name, $"the UID in the object ({uid}) does not match the UID in record ({before.Uid})");
    }

    /// <summary>Puts back what this door may not change: the server's own metadata, and status or everything but status.</summary>
    private static void Restore(Actor actor, KindDefinition kind, Resource before, JsonObject next, string subresource)
    {
        if (subresource == "status")
        {
            var status = next["status"]?.DeepClone();
            var fields = next.At("metadata.managedFields")?.DeepClone();
            var kept = before.Edit();
            foreach (var key in next.Select(p => p.Key).ToList()) next.Remove(key);
            foreach (var (key, value) in kept) next[key] = value?.DeepClone();
            next["status"] = status;
            if (status is null) next.Remove("status");
            if (fields is not null) next.Child("metadata")["managedFields"] = fields;
        }
        else if (kind.HasStatus)
        {
            if (before.Body["status"] is { } status) next["status"] = status.DeepClone();
            else next.Remove("status");
        }

        if (kind.IsProduct && kind.HasStatus && before.Body.Text("status.storage") is { } storage) next.Child("status")["storage"] = storage;
        if (kind.OrderedByCreation && before.Body.At("status.order") is { } order) next.Child("status")["order"] = order.DeepClone();
        var metadata = next.Child("metadata");
        foreach (var own in new[] { "uid", "creationTimestamp", "deletionTimestamp", "generation", "resourceVersion" })
        {
            if (before.Metadata[own] is { } value) metadata[own] = value.DeepClone();
            else metadata.Remove(own);
        }

        if (!metadata.ContainsKey("managedFields") && before.Metadata["managedFields"] is { } managed) metadata["managedFields"] = managed.DeepClone();
        if (before.Annotation(Admission.CreatedByAnnotation) is { } creator) metadata.Child("annotations")[Admission.CreatedByAnnotation] = creator;
        if (before.IsDeleting && !actor.IsServer && metadata.Texts("finalizers").Except(before.Finalizers).Any())
            throw ApiException.Invalid(kind, before.Name, new FieldError("FieldValueForbidden", "metadata.finalizers", "no new finalizers can be added while the object is being deleted"));
    }

    /// <summary>
    /// The garbage collector deletes what its owners left behind, so changing owners is a way of deleting; and a finalizer of
    /// Krate's own is the only thing between a delete and its clean-up.
    /// </summary>
    private async Task CheckOwnershipAsync(Actor actor, Resource before, JsonObject next, CancellationToken ct)
    {
        if (!JsonNode.DeepEquals(before.Metadata["ownerReferences"], next.At("metadata.ownerReferences")))
            await AuthorizeAsync(actor, "delete", before.Kind, before.Namespace, before.Name, "", ct);
        var kept = next.Texts("metadata.finalizers").ToList();
        if (before.Finalizers.FirstOrDefault(f => f is WellKnown.OrgFinalizer or WellKnown.RepositoryFinalizer or WellKnown.RoleBindingFinalizer or "kubernetes" && !kept.Contains(f)) is { } own)
            throw ApiException.Invalid(before.Kind, before.Name, new FieldError("FieldValueForbidden", "metadata.finalizers", $"{own} is removed by Krate when the clean-up is done"));
    }

    private static bool Same(JsonObject before, JsonObject next)
    {
        foreach (var key in before.Select(p => p.Key).Union(next.Select(p => p.Key)))
            if (key != "metadata" && !JsonNode.DeepEquals(before[key], next[key])) return false;
        var old = before["metadata"] as JsonObject ?? [];
        var now = next["metadata"] as JsonObject ?? [];
        foreach (var key in old.Select(p => p.Key).Union(now.Select(p => p.Key)))
        {
            if (key == "resourceVersion") continue;
            if (old[key] is JsonObject or null && now[key] is JsonObject or null && (old[key] as JsonObject ?? []).Count == 0 && (now[key] as JsonObject ?? []).Count == 0) continue;
            if (!JsonNode.DeepEquals(old[key], now[key])) return false;
        }

        return true;
    }

    private async Task<DeleteResult> RemoveAsync(Actor actor, Resource before, DeleteOptions options, CancellationToken ct)
    {
        var hold = options.PropagationPolicy switch { "Foreground" => "foregroundDeletion", "Orphan" => "orphan", _ => null };
        var finalizers = before.Finalizers.Concat(hold is null || before.IsDeleting ? [] : [hold]).Distinct().ToList();
        if (finalizers.Count == 0)
        {
            if (options.DryRun) return new(before, true);
            return new(await CommitAsync(new(actor, "delete", before, before, "", []), new DeleteWrite(before.Kind, before.Namespace, before.Name, before.Uid, before.Version), ct), true);
        }

        if (before.IsDeleting) return new(before, false);
        var next = before.Edit();
        var metadata = next.Child("metadata");
        metadata["deletionTimestamp"] = Timestamps.Format(time.GetUtcNow());
        metadata["finalizers"] = new JsonArray([.. finalizers.Select(f => (JsonNode)f)]);
        if (before.Kind.IsProduct) metadata["generation"] = before.Generation + 1;
        if (before.Kind is { Kind: "Namespace", Group: "" }) next.Set("status.phase", "Terminating");
        var marked = new Resource(before.Kind, next);
        if (options.DryRun) return new(marked, false);
        metadata.Remove("resourceVersion");
        return new(await CommitAsync(new(actor, "delete", before, marked, "", []), new UpdateWrite(before.Kind, before.Namespace, before.Name, before.Uid, before.Version, next), ct), false);
    }

    private async Task<Resource> CommitAsync(AdmittedChange change, ResourceWrite write, CancellationToken ct, IReadOnlyList<CreateWrite>? more = null)
    {
        var (actor, resource) = (change.Actor, change.After);
        var name = resource.Name.Length > 0 ? resource.Name : "(numbered)";
        var line = Kubectl.Line(change.Verb, resource.Kind, resource.Namespace, name, change.Subresource);
        var written = await store.CommitAsync(
            new Commit
            {
                Writes = [write, .. more ?? [], .. companions.SelectMany(c => c.For(change))],
                Audit = [AuditTrail.Admitted(actor, change.Verb, resource, change.Subresource, line), .. change.Records],
                Fence = actor.Fence,
            },
            ct);
        return written[0];
    }

    private void CheckRepository(Actor actor, KindDefinition kind, string ns, JsonObject document)
    {
        if (actor.IsServer || kind.RepositoryPath is null) return;
        if (new Resource(kind, document).Label(WellKnown.RepositoryLabel) is { } repository && !repositories.MayGet(actor, ns, repository))
            throw ApiException.Invalid(kind, document.Text("metadata.name") ?? "", new FieldError("FieldValueNotFound", kind.RepositoryPath, $"there is no repository {repository} that you may see"));
    }

    private async Task<Patch> SettledAsync(Patch patch, Resource? live, KindDefinition kind, CancellationToken ct)
    {
        if (patch.Document is not JsonObject document) return patch;
        var copy = document.Copy();
        if (patch.Type == PatchType.Apply || copy.ContainsKey("stringData")) SecretDocuments.Normalise(copy, kind);
        if (patch.Type != PatchType.Apply && !document.ContainsKey("type")) copy.Remove("type");
        if (live is not null) await secrets.SettleUnchangedAsync(copy, live, ct);
        return patch with { Document = copy };
    }

    /// <summary>Reviews are answered, recorded in the audit log and not stored.</summary>
    private async Task<Resource> AnswerReviewAsync(Actor actor, KindDefinition kind, string ns, JsonObject document, CancellationToken ct)
    {
        Admission.CheckEnvelope(kind, document, ns, null);
        await AuthorizeAsync(actor, "create", kind, ns, "", "", ct);
        var errors = SchemaValidator.Validate(kind, document);
        if (errors.Count > 0) throw ApiException.Invalid(kind, "", errors);
        var answer = kind.Kind == "TokenReview"
            ? await AccessReviews.AnswerTokenAsync(kind, document, tokens, ct)
            : AccessReviews.Answer(kind, document, ns, actor, authorizer);
        var reviewed = new Resource(kind, answer);
        await store.CommitAsync(new Commit { Audit = [AuditTrail.Reviewed(actor, reviewed)] }, ct);
        return reviewed;
    }
}
