using System.Globalization;
using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Core.Kinds.Stacks;

namespace Krate.Core.Kinds.Review;

/// <summary>
/// Which grant decides about one key of a Secret or ConfigMap, and how (spec 05, "Precedence"): an explicit Deny, then what is not there, then the
/// narrowest subject that any grant names. A broader grant never overrides a narrower one. Pure.
/// </summary>
internal sealed class GrantReview(Resource stack, string serviceAccount, IReviewFacts facts, ReviewScope scope)
{
    public Finding Of(CapabilityNeed need)
    {
        var isSecret = need.Kind == "Secret";
        var kind = isSecret ? "AgentSecretGrant" : "AgentConfigGrant";
        var owner = facts.Find(need.Kind, need.Name);
        var only = stack.Body.Texts(isSecret ? "spec.permissionRefs.secretGrants" : "spec.permissionRefs.configGrants").ToHashSet(StringComparer.Ordinal);
        var known = facts.Grants(kind, need.Name)
            .Where(g => !g.IsDeleting && g.Body.Text("spec.purpose") == need.Purpose && Covers(g, need, isSecret))
            .Select(g => (Grant: g, Rank: RankOf(g, need.Part)))
            .Where(g => g.Rank is not null)
            .ToList();
        if (known.Find(g => g.Grant.Body.Text("spec.effect") == "Deny" && !IsOver(g.Grant) && Denies(g.Grant)).Grant is { } deny)
            return Found(need, FindingState.Denied, "GrantDenied", $"{kind} {deny.Name} denies {Said(need)}.", deny.Name, "an organization owner");
        if (owner is null) return Found(need, FindingState.Blocked, isSecret ? "SecretMissing" : "ConfigMapMissing", $"{need.Part.Kind} {need.Part.Name} needs {Said(need)}; {need.Kind} {stack.Namespace}/{need.Name} does not exist.", null, isSecret ? "whoever may write Secrets" : "whoever may write ConfigMaps");
        if (isSecret && stack.Body.Texts("spec.secretPolicy.allowedSecretRefs").ToList() is { Count: > 0 } bound && !bound.Contains(need.Name, StringComparer.Ordinal))
            return Found(need, FindingState.Denied, "GrantDenied", $"The stack's secretPolicy.allowedSecretRefs does not list {need.Name}, which {need.Part.Kind} {need.Part.Name} needs.", null, "whoever may change the stack");
        var allowing = known.Where(g => g.Grant.Body.Text("spec.effect") != "Deny" && (only.Count == 0 || only.Contains(g.Grant.Name))).GroupBy(g => g.Rank).OrderBy(g => g.Key).FirstOrDefault();
        if (allowing is null) return Missing(need, kind, only.Count > 0);
        return allowing.Select(g => Judge(need, kind, g.Grant, owner)).OrderBy(f => f.State).ThenBy(f => f.Grant, StringComparer.Ordinal).First();
    }

    /// <summary>The place of a grant's subject in the precedence, narrow first; null when it speaks of something else.</summary>
    private int? RankOf(Resource grant, CapabilityPart part)
    {
        var (kind, name) = (grant.Body.Text("spec.subject.kind"), grant.Body.Text("spec.subject.name") ?? "");
        if (grant.Body.Text("spec.subject.serviceAccountRef") is { Length: > 0 } account && account != serviceAccount) return null;
        if (grant.Body.Text("spec.subject.stackRef") is { Length: > 0 } of && of != stack.Name) return null;
        return kind switch
        {
            "service-account" when name == serviceAccount => 0,
            "agent-stack" when name == stack.Name => 1,
            "mcp-server" when part.Kind == "AgentMcpServer" && name == part.Name => 2,
            "skill" when part.Kind == "AgentSkill" && name == part.Name => 2,
            "tool" or "tool-profile" when part.Kind == "AgentToolProfile" && name == part.Name => 2,
            "model-provider" when part.Kind == "AgentProviderConfig" && name == part.Name => 2,
            "subagent" when part.Within is { } within && name == within => 2,
            "runner-pool" when name == stack.Body.Text("spec.runnerPool") => 2,
            "repository" when scope.Repository is null || name == scope.Repository => 3,
            "team" when scope.Teams?.Contains(name, StringComparer.Ordinal) != false => 3,
            "user" when scope.User is null || name == scope.User => 3,
            "organization" when name == stack.Body.Text("spec.organizationRef") => 4,
            _ => null,
        };
    }

    /// <summary>A Deny for some places holds in these only.</summary>
    private bool Denies(Resource grant) => scope == ReviewScope.Anywhere ? !ReviewScope.IsNarrowed(grant) : scope.Refuses(grant) is null;

    private static bool Covers(Resource grant, CapabilityNeed need, bool isSecret)
    {
        var keys = KeysOf(grant, isSecret);
        if (keys.Count == 0) return true;
        return need.Key is { } key ? keys.Contains(key, StringComparer.Ordinal) : grant.Body.Text("spec.effect") == "Deny";
    }

    private static List<string> KeysOf(Resource grant, bool isSecret) => [.. grant.Body.Texts(isSecret ? "spec.secretRef.keys" : "spec.configMapRef.keys")];

    private bool IsOver(Resource grant) => DateTimeOffset.TryParse(grant.Body.Text("spec.expiresAt"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var end) && end <= facts.Now;

    private Finding Judge(CapabilityNeed need, string kind, Resource grant, Resource owner)
    {
        const string Admin = "whoever may write grants";
        if (IsOver(grant)) return Found(need, FindingState.StaleGrant, "GrantExpired", $"{kind} {grant.Name} for {Said(need)} ended at {grant.Body.Text("spec.expiresAt")}.", grant.Name, Admin);
        var bound = grant.Body.Text(need.Kind == "Secret" ? "status.boundSecretUid" : "status.boundConfigMapUid");
        if (bound is { Length: > 0 } && bound != owner.Uid) return Replaced($"{need.Kind} {need.Name}");
        if (grant.Body.Text("status.boundSubjectUid") is { Length: > 0 } subject && SubjectOf(grant) is { } now && now.Uid != subject) return Replaced($"{now.Kind.Kind} {now.Name}");
        if (scope.Refuses(grant) is { } why) return Found(need, FindingState.Denied, "GrantDenied", $"{kind} {grant.Name} {why}; {need.Part.Kind} {need.Part.Name} needs {Said(need)}.", grant.Name, Admin);
        if (scope.IsUntrusted && RefusesUntrusted(grant, need) is { } refusal) return Found(need, FindingState.Denied, "GrantDenied", refusal, grant.Name, Admin);
        if (MissingKeys(need, owner, grant) is { Count: > 0 } keys)
            return Found(need, FindingState.MissingKey, need.Kind == "Secret" ? "SecretKeyMissing" : "ConfigMapKeyMissing", $"{need.Kind} {stack.Namespace}/{need.Name} has no key {string.Join(", ", keys)}, which {kind} {grant.Name} speaks of.", grant.Name, need.Kind == "Secret" ? "whoever may write Secrets" : "whoever may write ConfigMaps");
        if (NeedsApproval(grant, need)) return Found(need, FindingState.RequiresApproval, "SecretNeedsApproval", $"{Capital(Said(need))} reaches a run after an approval ({kind} {grant.Name}).", grant.Name, "an approver");
        return grant.Conditions.Any(c => c.Reason == "SecretRotationOverdue")
            ? Found(need, FindingState.Warning, "SecretRotationOverdue", $"{Capital(Said(need))} is older than {kind} {grant.Name} lets it become; it still works.", grant.Name, "whoever may write Secrets")
            : Found(need, FindingState.Allowed, "Granted", $"{Capital(Said(need))} is granted by {kind} {grant.Name}.", grant.Name, "");

        Finding Replaced(string what) => Found(need, FindingState.StaleGrant, "GrantSubjectReplaced", $"{kind} {grant.Name} was made for another {what}; one of the same name inherits nothing. Make the grant anew.", grant.Name, Admin);
    }

    private Resource? SubjectOf(Resource grant) =>
        Grants.Subjects.KindNames.TryGetValue(grant.Body.Text("spec.subject.kind") ?? "", out var kind) ? facts.Find(kind, grant.Body.Text("spec.subject.name") ?? "") : null;

    private string? RefusesUntrusted(Resource grant, CapabilityNeed need)
    {
        if (need.Kind != "Secret") return null;
        if (!grant.Body.Texts("spec.allowedTrustTiers").Contains(TrustTier.Untrusted, StringComparer.Ordinal)) return $"AgentSecretGrant {grant.Name} does not hold for untrusted refs.";
        return stack.Body.Flag("spec.secretPolicy.allowOnForks") ? null : KeptFromForks(need);
    }

    private static string KeptFromForks(CapabilityNeed need) => $"The stack's secretPolicy.allowOnForks keeps {Said(need)} from untrusted refs.";

    /// <summary>On an untrusted ref no secret comes without a person, whatever the grant says.</summary>
    private bool NeedsApproval(Resource grant, CapabilityNeed need) => need.Kind == "Secret" && (scope.IsUntrusted || grant.Body.Text("spec.requiredApproval") == "always");

    private static List<string> MissingKeys(CapabilityNeed need, Resource owner, Resource grant)
    {
        var there = NamesIn(owner);
        var wanted = need.Key is { } key ? [key] : KeysOf(grant, need.Kind == "Secret");
        return [.. wanted.Where(k => !there.Contains(k))];
    }

    /// <summary>Keys of a Secret (which keeps their names beside it) or a ConfigMap.</summary>
    internal static HashSet<string> NamesIn(Resource owner)
    {
        if (owner.Kind.Kind == "Secret") return owner.Annotation(WellKnown.SecretKeysAnnotation) is { } text ? [.. KrateJson.ParseObject(text).Select(k => k.Key)] : [];
        return [.. new[] { "data", "binaryData" }.SelectMany(f => owner.Body[f] as JsonObject ?? []).Select(k => k.Key)];
    }

    private Finding Missing(CapabilityNeed need, string kind, bool isRestricted)
    {
        var among = isRestricted ? $" among those that the stack's permissionRefs list" : "";
        var message = $"{need.Part.Kind} {need.Part.Name} needs {Said(need)}, and no {kind} for {need.Purpose}{among} gives it to the stack.";
        var reason = need.Kind == "Secret" ? "MissingSecretGrant" : "MissingConfigGrant";
        // No manifest alone is enough where the stack itself refuses what is not in its own lists.
        if (isRestricted) return Found(need, FindingState.MissingGrant, reason, message, null, "whoever may write grants, and change the stack");
        if (scope.IsUntrusted && need.Kind == "Secret" && !stack.Body.Flag("spec.secretPolicy.allowOnForks")) return Found(need, FindingState.Denied, "GrantDenied", KeptFromForks(need), null, "whoever may change the stack");
        return Found(need, FindingState.MissingGrant, reason, message, null, "whoever may write grants") with { Suggestion = Suggestions.Grant(stack, serviceAccount, need, scope) };
    }

    private static string Said(CapabilityNeed need) => need.Key is { } key ? $"key {key} of {need.Kind} {need.Name}" : $"{need.Kind} {need.Name}";

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];

    private static Finding Found(CapabilityNeed need, FindingState state, string reason, string message, string? grant, string fixer) =>
        new(need.Kind == "Secret" ? AgentStackConditions.SecretsAdmitted : AgentStackConditions.ConfigAdmitted, state, reason, message) { Part = need.Part, Need = need, Grant = grant, Fixer = fixer };
}
