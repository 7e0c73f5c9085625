using Krate.Core.Gateway;

namespace Krate.Core.Kinds.Review;

/// <summary>A right that gives more than it seems to.</summary>
public sealed record Danger(PolicyRule Rule, string Explanation);

/// <summary>Explains the rights that are used to get others (spec 10). Pure.</summary>
public static class DangerousRules
{
    private const string Rbac = RbacRules.ApiGroup;

    private static readonly (string Group, string[] Resources, string[] Verbs, string Why)[] Known =
    [
        ("", ["secrets"], ["list", "watch"], "Listing or watching Secrets is reading all of them, values included."),
        ("", ["secrets"], ["get"], "Reading Secrets hands over their values."),
        ("", ["pods", "replicationcontrollers"], ["create"], "Whoever creates pods uses every ServiceAccount and every Secret of the namespace."),
        ("apps", ["deployments", "daemonsets", "statefulsets", "replicasets"], ["create", "update", "patch"], "Workloads run pods, with every ServiceAccount and every Secret of the namespace."),
        ("batch", ["jobs", "cronjobs"], ["create", "update", "patch"], "Jobs run pods, with every ServiceAccount and every Secret of the namespace."),
        ("", ["pods/exec", "pods/attach", "pods/ephemeralcontainers"], ["create", "get", "update", "patch"], "A shell in a running pod acts with that pod's identity and reads its Secrets."),
        ("", ["serviceaccounts/token"], ["create"], "Minting tokens of a ServiceAccount is becoming it."),
        ("", ["nodes/proxy"], ["get", "create", "update", "patch", "delete"], "nodes/proxy reaches every pod of a node and goes round admission and audit."),
        ("", ["namespaces"], ["update", "patch"], "Labels of a namespace decide which policies hold in it; who changes them switches policies off."),
        ("", ["users", "groups", "serviceaccounts"], ["impersonate"], "Impersonating is acting as somebody else, with all of their rights."),
        (Rbac, ["roles", "clusterroles"], ["escalate"], "escalate lets somebody write rules that they do not hold."),
        (Rbac, ["roles", "clusterroles"], ["bind"], "bind lets somebody give roles that they do not hold, also to themselves."),
        (Rbac, ["rolebindings", "clusterrolebindings"], ["create", "update", "patch"], "Writing bindings hands on every right that the writer has."),
        ("certificates.k8s.io", ["certificatesigningrequests/approval", "signers"], ["update", "patch", "approve", "sign"], "Approving certificates makes identities, those of administrators included."),
        ("admissionregistration.k8s.io", ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"], ["create", "update", "patch", "delete"], "Admission webhooks see and change everything that is written."),
        (Resources.WellKnown.ApiGroup, ["agentsecretgrants", "agentrolebindings"], ["create", "update", "patch"], "Writing grants and role bindings decides what agents may read and do."),
        (Resources.WellKnown.ApiGroup, ["agentapprovals"], ["decide"], "An agent that decides approvals approves itself."),
        (Resources.WellKnown.ApiGroup, ["branchprotections", "refpolicies"], ["create", "update", "patch", "delete"], "Without branch protection the agent pushes what nobody has looked at."),
    ];

    public static IReadOnlyList<Danger> Of(IEnumerable<PolicyRule> rules) => [.. rules.SelectMany(Of)];

    private static IEnumerable<Danger> Of(PolicyRule rule)
    {
        if (rule.Resources.Count == 0) yield break;
        if (rule.Verbs.Contains("*") || rule.Resources.Contains("*") || rule.ApiGroups.Contains("*"))
        {
            yield return new(rule, "A wildcard also gives what is added later, and what nobody thought of.");
            if (rule.Verbs.Contains("*") && rule.Resources.Contains("*")) yield break;
        }

        foreach (var (group, resources, verbs, why) in Known)
            if (Has(rule.ApiGroups, [group]) && Has(rule.Resources, resources) && Has(rule.Verbs, verbs)) yield return new(rule, why);
    }

    private static bool Has(IReadOnlyList<string> given, string[] any) => given.Contains("*") || any.Any(a => given.Contains(a, StringComparer.Ordinal));
}
