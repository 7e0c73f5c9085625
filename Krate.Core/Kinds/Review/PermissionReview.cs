using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Review;

/// <summary>What may, or may not, happen: the answer of a permission review.</summary>
public enum ReviewDecision
{
    Allowed,
    RequiresApproval,
    Denied,
}

/// <summary>What is known of the person for whom a stack would run, and of the one who asks.</summary>
public sealed record ReviewPeople
{
    /// <summary>Kubernetes user name of the person for whom it would run.</summary>
    public required string Actor { get; init; }

    /// <summary>Whether that person may dispatch the stack.</summary>
    public bool MayDispatch { get; init; }

    /// <summary>Whether whoever asks may read resources of a kind in the organization.</summary>
    public required Func<string, bool> MayRead { get; init; }

    /// <summary>Whether whoever asks may create resources of a kind in the organization.</summary>
    public required Func<string, bool> MayCreate { get; init; }
}

/// <summary>
/// Decides whether a stack may run somewhere for somebody, and says everything that is missing, who can give it and the smallest manifest that
/// would. Pure and deterministic; it reads no value of a Secret (spec 05, "Permission review").
/// </summary>
public sealed record PermissionReview
{
    private const string DispatchDenied = "DispatchForbidden";

    private PermissionReview(Resource stack, StackReview review, ReviewScope scope, ReviewPeople people, IReadOnlyList<Finding> findings) =>
        (Stack, Review, Scope, People, Findings) = (stack, review, scope, people, findings);

    public Resource Stack { get; }

    public StackReview Review { get; }

    public ReviewScope Scope { get; }

    public ReviewPeople People { get; }

    /// <summary>The worst first, then in the order of the stack's conditions.</summary>
    public IReadOnlyList<Finding> Findings { get; }

    /// <summary>What the one who asks may read of them.</summary>
    public IReadOnlyList<Finding> Shown => HiddenKinds() is var hidden && hidden.Count == 0 ? Findings : [.. Findings.Where(f => !IsHidden(f, hidden))];

    /// <summary>How many of those that are not as they should be are kept from the one who asks.</summary>
    public int HiddenCount => HiddenKinds() is var hidden && hidden.Count == 0 ? 0 : Findings.Count(f => f.State != FindingState.Allowed && IsHidden(f, hidden));

    /// <summary>What is not known is not allowed.</summary>
    public ReviewDecision Decision =>
        Findings.Any(f => f.IsBlocking || f.State == FindingState.Unknown) ? ReviewDecision.Denied
        : Findings.Any(f => f.State == FindingState.RequiresApproval) ? ReviewDecision.RequiresApproval : ReviewDecision.Allowed;

    public static PermissionReview Of(Resource stack, IReviewFacts facts, ReviewScope scope, ReviewPeople people)
    {
        var review = StackReview.Of(stack, facts, scope);
        var findings = review.Findings.ToList();
        if (!people.MayDispatch)
        {
            findings.Add(new("", FindingState.MissingGrant, DispatchDenied, $"{people.Actor} may not dispatch AgentStack {stack.Name}.") { Fixer = "whoever may bind roles", Suggestion = Suggestions.Dispatch(stack, people.Actor) });
        }

        return new(stack, review, scope, people, [.. findings.OrderByDescending(f => f.IsBlocking).ThenByDescending(f => f.State == FindingState.Unknown).ThenByDescending(f => f.State == FindingState.RequiresApproval)]);
    }

    /// <summary>The answer of the API. What the one who asks may not read is there as kind and number only.</summary>
    /// <param name="used">What the facts came from, for the digest.</param>
    public JsonObject ToJson(JsonArray used)
    {
        var hidden = HiddenKinds();
        var answer = new JsonObject
        {
            ["decision"] = NameOf(Decision),
            ["agentStack"] = Stack.Name,
            ["trustTier"] = Scope.TrustTier,
            ["runtimeIdentity"] = new JsonObject { ["kind"] = "ServiceAccount", ["namespace"] = Stack.Namespace, ["name"] = Review.Identity },
            ["runnerIdentity"] = Stack.Body.Text("spec.runnerPool") is { } pool ? new JsonObject { ["kind"] = "RunnerPool", ["name"] = pool } : null,
            ["requiredRoles"] = Needs("Role", hidden),
            ["requiredSecrets"] = Needs("Secret", hidden),
            ["requiredConfigs"] = Needs("ConfigMap", hidden),
            ["missingGrants"] = new JsonArray([.. Findings.Where(f => f.Suggestion is not null && !IsHidden(f, hidden)).Select(f => (JsonNode)Missing(f))]),
            ["approvalRequirements"] = Approvals(hidden),
            ["yamlPreview"] = new JsonArray([.. Findings.Where(f => f.Suggestion is { } s && !IsHidden(f, hidden) && People.MayCreate(s.Kind)).Select(f => (JsonNode)f.Suggestion!.Yaml)]),
            ["reasons"] = Reasons(hidden),
            ["dangers"] = new JsonArray([.. Review.Dangers.Select(d => (JsonNode)new JsonObject { ["rule"] = RbacRules.Write(d.Rule), ["explanation"] = d.Explanation })]),
        };
        answer["digest"] = CanonicalJson.Digest(new JsonArray(answer.DeepClone(), used.DeepClone()));
        return answer;
    }

    public static string NameOf(ReviewDecision decision) => decision switch
    {
        ReviewDecision.Allowed => "allowed",
        ReviewDecision.RequiresApproval => "requires-approval",
        _ => "denied",
    };

    private JsonArray Needs(string kind, HashSet<string> hidden)
    {
        var findings = Review.Findings.Where(f => f.Need?.Kind == kind).ToList();
        if (findings.Count > 0 && findings.Any(f => IsHidden(f, hidden))) return [new JsonObject { ["kind"] = kind, ["count"] = findings.Count, ["decision"] = Finding.NameOf(findings.Max(f => f.State)) }];
        return new([.. findings.Select(f => (JsonNode)new JsonObject
        {
            ["owner"] = new JsonObject { ["kind"] = f.Need!.Part.Kind, ["name"] = f.Need.Part.Name },
            ["reference"] = new JsonObject { ["kind"] = kind, ["name"] = f.Need.Name },
            ["keys"] = f.Need.Key is { } key ? new JsonArray(key) : [],
            ["grant"] = f.Grant,
            ["decision"] = Finding.NameOf(f.State),
            ["reason"] = f.Reason,
        })]);
    }

    private static JsonObject Missing(Finding finding) => new()
    {
        ["kind"] = finding.Suggestion!.Kind,
        ["suggestedName"] = finding.Suggestion.Name,
        ["reason"] = finding.Reason,
        ["blocking"] = finding.IsBlocking,
        ["manifest"] = finding.Suggestion.Manifest.DeepClone(),
    };

    private JsonArray Approvals(HashSet<string> hidden)
    {
        var approvals = new JsonArray();
        foreach (var finding in Findings.Where(f => f.State == FindingState.RequiresApproval && !IsHidden(f, hidden)))
            approvals.Add((JsonNode)new JsonObject { ["when"] = "launch", ["what"] = "secret-access", ["message"] = finding.Message });
        foreach (var target in Stack.Body.Texts("spec.writeBackPolicy.allowedTargets"))
            if (Scope.IsUntrusted || Stack.Body.Flag("spec.writeBackPolicy.requireApproval") || IsHighRisk(target)) approvals.Add((JsonNode)new JsonObject { ["when"] = "write-back", ["what"] = target, ["message"] = $"A person approves each {target}." });
        return approvals;
    }

    /// <summary>Only comments and reruns may go without a person, and only where the stack says so (spec 05).</summary>
    public static bool IsHighRisk(string target) => target is "create-branch" or "branch-push" or "open-pull-request" or "pull-request-review";

    private JsonArray Reasons(HashSet<string> hidden)
    {
        var reasons = new JsonArray();
        foreach (var finding in Findings.Where(f => f.State != FindingState.Allowed && !IsHidden(f, hidden)))
        {
            var reason = new JsonObject { ["code"] = finding.Reason, ["message"] = finding.Message, ["decision"] = Finding.NameOf(finding.State), ["fixer"] = finding.Fixer };
            if (finding.Condition.Length > 0) reason["condition"] = finding.Condition;
            reasons.Add((JsonNode)reason);
        }

        foreach (var group in Findings.Where(f => f.State != FindingState.Allowed && IsHidden(f, hidden)).GroupBy(f => f.Need?.Kind ?? f.Part?.Kind ?? ""))
            reasons.Add((JsonNode)new JsonObject { ["kind"] = group.Key, ["count"] = group.Count(), ["decision"] = Finding.NameOf(group.Max(f => f.State)) });
        return reasons;
    }

    private HashSet<string> HiddenKinds() => [.. Findings.SelectMany(KindsOf).Distinct().Where(k => !People.MayRead(k))];

    private static bool IsHidden(Finding finding, HashSet<string> hidden) => KindsOf(finding).Any(hidden.Contains);

    /// <summary>The kinds whose names a finding tells. Names of Secrets are in grants, which is where they are read.</summary>
    private static IEnumerable<string> KindsOf(Finding finding)
    {
        if (finding.Part is { } part) yield return part.Kind switch { "Secret" => "AgentSecretGrant", "ConfigMap" => "AgentConfigGrant", var kind => kind };
        if (finding.Need?.Kind == "Secret") yield return "AgentSecretGrant";
        if (finding.Need?.Kind == "ConfigMap") yield return "AgentConfigGrant";
        if (finding.Need?.Kind == "Role") yield return "AgentRoleBinding";
    }
}
