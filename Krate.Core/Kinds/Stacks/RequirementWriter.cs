using System.Text.Json.Nodes;
using Krate.Core.ControlPlane;
using Krate.Core.Gateway;
using Krate.Core.Kinds.Review;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Stacks;

/// <summary>Writes down what a stack needs as an AgentCapabilityRequirement of its name, which goes when the stack goes.</summary>
internal sealed class RequirementWriter(KindCatalog catalog)
{
    private static readonly WriteOptions Options = new() { FieldManager = "krate-control-plane" };
    private readonly KindDefinition requirements = catalog["AgentCapabilityRequirement"];

    /// <returns>Digest of what is written; while the stack repeats it, nothing is read or written.</returns>
    public async Task<string> WriteAsync(Resource stack, StackReview review, ReconcileContext context, CancellationToken ct)
    {
        var (spec, status) = (SpecOf(stack, review), StatusOf(review));
        var digest = CanonicalJson.Digest(new JsonArray(spec.DeepClone(), status.DeepClone()));
        if (stack.Body.Text("status.requirementsDigest") == digest) return digest;
        await context.WriteStatusAsync(await SetAsync(stack, spec, context, ct), status, ct);
        return digest;
    }

    private async Task<Resource> SetAsync(Resource stack, JsonObject spec, ReconcileContext context, CancellationToken ct)
    {
        try
        {
            var found = await context.Gateway.GetAsync(context.Actor, requirements, stack.Namespace, stack.Name, ct);
            var document = found.Edit();
            document["spec"] = spec;
            document.Child("metadata")["ownerReferences"] = new JsonArray(OwnerReference.To(stack));
            return await context.Gateway.UpdateAsync(context.Actor, requirements, stack.Namespace, stack.Name, document, Options, ct);
        }
        catch (ApiException e) when (e.Code == 404)
        {
            var metadata = new JsonObject { ["name"] = stack.Name, ["ownerReferences"] = new JsonArray(OwnerReference.To(stack)) };
            return await context.Gateway.CreateAsync(context.Actor, requirements, stack.Namespace, new JsonObject { ["metadata"] = metadata, ["spec"] = spec }, Options, ct);
        }
    }

    private static JsonObject SpecOf(Resource stack, StackReview review)
    {
        var needs = review.Graph.Needs;
        return new()
        {
            ["organizationRef"] = stack.Body.Text("spec.organizationRef"),
            ["ownerRef"] = new JsonObject { ["kind"] = stack.Kind.Kind, ["name"] = stack.Name },
            ["requiredRoles"] = new JsonArray([.. needs.Where(n => n.Kind == "Role").Select(n => n.Name).Distinct().Select(n => (JsonNode)n)]),
            ["requiredSecretRefs"] = Refs("Secret"),
            ["requiredConfigRefs"] = Refs("ConfigMap"),
            ["requiredServiceAccountCapabilities"] = new JsonArray("token-projection"),
        };

        JsonArray Refs(string kind) => new([.. needs.Where(n => n.Kind == kind).Select(n => (JsonNode)Ref(n, stack.Namespace))]);
    }

    private static JsonObject Ref(CapabilityNeed need, string ns)
    {
        var reference = new JsonObject { ["reason"] = need.Purpose, ["namespace"] = ns, ["name"] = need.Name };
        if (need.Key is { } key) reference["key"] = key;
        if (need.Part.Kind switch { "AgentToolProfile" => "toolRef", "AgentSkill" => "skillRef", "AgentMcpServer" => "mcpServerRef", _ => null } is { } field) reference[field] = need.Part.Name;
        return reference;
    }

    private static JsonObject StatusOf(StackReview review)
    {
        var gaps = review.Findings.Where(f => f.IsBlocking && (f.Need is not null || f.State == FindingState.MissingGrant)).ToList();
        var (missing, invalid) = (gaps.Where(f => f.Grant is null).ToList(), gaps.Where(f => f.Grant is not null).ToList());
        Condition[] conditions =
        [
            new(AgentCapabilityRequirementKind.RequirementsDiscovered, Condition.True, "Discovered", $"{review.Graph.Parts.Count} parts need {review.Graph.Needs.Count} roles, secrets and configurations."),
            gaps.Count == 0 ? new(AgentCapabilityRequirementKind.GrantsResolved, Condition.True, "Resolved", "All of them are granted.") : new(AgentCapabilityRequirementKind.GrantsResolved, Condition.False, gaps[0].Reason, gaps[0].Message),
            gaps.Count == 0 ? new(Condition.Ready, Condition.True, "Resolved", "All of them are granted.") : new(Condition.Ready, Condition.False, gaps[0].Reason, gaps[0].Message),
        ];
        var status = StatusWriter.Status(gaps.Count == 0 ? "Ready" : "Blocked", conditions);
        (status["missingGrants"], status["invalidGrants"]) = (Gaps(missing), Gaps(invalid));
        return status;
    }

    private static JsonArray Gaps(List<Finding> findings) => new([.. findings.Select(f => (JsonNode)GapOf(f))]);

    private static JsonObject GapOf(Finding finding)
    {
        var gap = new JsonObject
        {
            ["kind"] = finding.Suggestion?.Kind ?? (finding.Need?.Kind switch { "Secret" => "AgentSecretGrant", "ConfigMap" => "AgentConfigGrant", _ => "AgentRoleBinding" }),
            ["name"] = finding.Grant ?? finding.Suggestion?.Name ?? finding.Need?.Name,
            ["reason"] = finding.Reason,
            ["message"] = finding.Message,
        };
        if (finding.Need is { } need) gap["target"] = need.Name;
        if (finding.Need?.Key is { } key) gap["key"] = key;
        return gap;
    }
}
