using System.Globalization;
using System.Text.Json.Nodes;
using Krate.Core.Blobs;
using Krate.Core.Gateway;
using Krate.Core.Kinds.Review;
using Krate.Core.Resources;
using Krate.Core.Store;
using Microsoft.Extensions.DependencyInjection;

namespace Krate.Core.Kinds.Dispatch;

/// <summary>
/// What happens before there is a run, whichever door it comes through: the person may dispatch the stack, the review admits it, the context is put
/// together and kept; and then run, bundle, workspace and first attempt are one commit, or nothing is (spec 06, "Dispatch"). Thread-safe.
/// </summary>
internal sealed class DispatchAdmission(IServiceProvider services, KindCatalog catalog, BlobStore blobs, IPolicyLog policyLog, TimeProvider time) : ICreateStep
{
    private static readonly TimeSpan KeysLast = TimeSpan.FromHours(24);
    private static readonly string[] Own = ["contextBundleRef", "workspaceRef"];

    public string Kind => "AgentDispatchRun";

    /// <summary>The gateway asks this, so that it is asked for only when there is something to do.</summary>
    private IResourceGateway Gateway => services.GetRequiredService<IResourceGateway>();

    public async Task<IReadOnlyList<CreateWrite>> CompleteAsync(Actor actor, JsonObject document, bool dryRun, CancellationToken ct)
    {
        foreach (var field in Own)
            if (document.At("spec." + field) is not null) throw Invalid(document, "spec." + field, "is made by Krate; leave it out");
        await KeepOnceAsync(document, ct);
        var run = new Resource(catalog[Kind], document);
        var request = ContextRequest.OfRun(document);
        var question = ReviewQuestion.OfRun(run);
        var stack = await Gateway.GetAsync(actor, catalog["AgentStack"], run.Namespace, request.AgentStack, ct);
        await ReviewAsync(actor, stack, question, ct);

        var (bundle, draft) = await services.GetRequiredService<ContextBundles>().MakeAsync(actor, run.Label(WellKnown.OrgLabel) ?? "", run.Namespace, request, ct);
        if (run.Annotation(WellKnown.ExpectedContextAnnotation) is { } expected && expected != bundle.Digest)
            throw new ApiException(409, "Conflict", "what the agent would be given has changed since it was shown; look at it again") { Subject = (run.Kind.Group, run.Kind.Plural, run.Name), ProductCode = "CONTEXT_CHANGED" };
        // Once more, for what it is on is known now; this is the one that counts.
        var (review, snapshot) = await ReviewAsync(actor, stack, question with { Ref = draft.Place?.Ref ?? question.Ref }, ct);
        // Before the commit, so that what a bundle names is there. What no bundle names is swept.
        if (!dryRun) await blobs.PutAsync(ContextBundles.PromptOf(bundle), ct);
        return new DispatchRecords(catalog, time.GetUtcNow()).For(document, stack, new(actor.User, bundle, draft, review, snapshot, ModeOf(stack)));
    }

    private async Task<(PermissionReview Review, JsonObject Snapshot)> ReviewAsync(Actor actor, Resource stack, ReviewQuestion question, CancellationToken ct)
    {
        var (review, used) = await services.GetRequiredService<PermissionReviews>().ReviewAsync(actor, stack, question, ct);
        var snapshot = review.ToJson(used);
        if (review.Decision != ReviewDecision.Denied) return (review, snapshot);
        var causes = review.Shown.Where(f => f.IsBlocking || f.State == FindingState.Unknown).Select(f => new FieldError(f.Reason, f.Condition.Length > 0 ? f.Condition : "dispatch", f.Message)).ToList();
        var why = causes.Count > 0 ? string.Join(" ", causes.Take(3).Select(c => c.Message)) : "What it needs is not granted, and you may not read what.";
        await policyLog.JudgedAsync(actor, stack, "dispatch", allowed: false, why, ct);
        throw new ApiException(403, "Forbidden", $"AgentStack {stack.Name} may not run this: {why}", causes) { Subject = (stack.Kind.Group, stack.Kind.Plural, stack.Name), ProductCode = "POLICY_DENIED" };
    }

    /// <summary>A run with a key has a name that follows from it, so that the store itself keeps a second one out.</summary>
    private async Task KeepOnceAsync(JsonObject document, CancellationToken ct)
    {
        if (new Resource(catalog[Kind], document).Annotation(WellKnown.IdempotencyAnnotation) is not { Length: > 0 } key) return;
        var (kind, ns) = (catalog[Kind], document.Text("metadata.namespace") ?? "");
        var asked = ContentDigest.Of(KrateJson.ToText(document["spec"]!));
        document.Child("metadata").Child("annotations")[WellKnown.RequestDigestAnnotation] = asked;
        for (var number = 0; ; number++)
        {
            var name = kind.NamePrefix + "key-" + ContentDigest.Of(string.Create(CultureInfo.InvariantCulture, $"{key}\n{number}"))["sha256:".Length..][..32];
            document.Child("metadata")["name"] = name;
            if (await services.GetRequiredService<IResourceStore>().GetAsync(kind, ns, name, ct) is not { } made) return;
            if (time.GetUtcNow() - made.CreatedAt >= KeysLast) continue;
            throw made.Annotation(WellKnown.RequestDigestAnnotation) == asked
                ? ApiException.AlreadyExists(kind, name)
                : ApiException.Conflict(kind, name, "its idempotency key was used for another request in the last 24 hours; take another key");
        }
    }

    /// <summary>What kind of workspace the stack's runs get.</summary>
    private string ModeOf(Resource stack) =>
        stack.Body.Text("spec.workspacePolicyRef") is { Length: > 0 } name && services.GetRequiredService<IResourceCache>().Get(catalog["AgentWorkspacePolicy"], stack.Namespace, name) is { } policy
            ? policy.Body.Text("spec.mode") ?? WorkspaceModes.Isolated : WorkspaceModes.Isolated;

    private ApiException Invalid(JsonObject document, string field, string message) => ApiException.Invalid(catalog[Kind], document.Text("metadata.name") ?? "", new FieldError("FieldValueForbidden", field, message));
}
