using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Kinds.Review;
using Krate.Core.Resources;
using Xunit;

namespace Krate.Tests.Kinds.Stacks;

/// <summary>What a review suggests is enough, as it is, all of it together; and nothing in it is to spare: with anything less the review says what is missing.</summary>
public sealed class SuggestedManifestTests
{
    private static readonly ReviewScope Trusted = new() { Repository = "payments", Ref = "refs/heads/main", TriggerSource = "manual", TrustTier = "trusted", User = "mira" };

    public static TheoryData<string> Stacks => ["everything", "env", "skill", "tools", "subagent", "untrusted", "repository", "alike", "taken"];

    [Theory]
    [MemberData(nameof(Stacks))]
    public void Everything_that_is_suggested_applied_as_it_is_turns_the_review_green_and_with_anything_less_it_is_red_for_that(string stack)
    {
        var (scope, manifests) = (ScopeOf(stack), Suggested(stack));
        Assert.NotEmpty(manifests);
        Assert.Distinct(manifests.Select(m => (m.Text("kind"), m.Text("metadata.name"))));
        Assert.All(manifests, m => Assert.Empty(KindTable.Catalog[m.Text("kind")!].Validate?.Invoke((JsonObject)m.DeepClone()) ?? []));
        var wanted = stack == "untrusted" ? ReviewDecision.RequiresApproval : ReviewDecision.Allowed;
        AssertDecision(wanted, Review(stack, scope, manifests));
        for (var at = 0; at < manifests.Count; at++)
        {
            AssertRed(stack, scope, [.. manifests.Where((_, i) => i != at)], manifests[at], "without it");
            foreach (var (what, less) in Less(manifests[at], scope)) AssertRed(stack, scope, [.. manifests.Select((m, i) => i == at ? less : m)], less, what);
        }
    }

    [Fact]
    public void What_no_manifest_alone_would_mend_suggests_none()
    {
        var listed = World("env").Change("AgentStack", "stack", "spec.permissionRefs", new JsonObject { ["secretGrants"] = new JsonArray("mine") });
        var missing = Of(listed, Trusted).Findings.Where(f => f.Need?.Kind == "Secret").ToList();
        Assert.NotEmpty(missing);
        Assert.All(missing, f => Assert.Equal(("MissingSecretGrant", null, "whoever may write grants, and change the stack"), (f.Reason, f.Suggestion, f.Fixer)));
        var forks = Of(World("env"), Trusted with { TrustTier = "untrusted" }).Findings.Where(f => f.Need?.Kind == "Secret").ToList();
        Assert.NotEmpty(forks);
        var addresses = Of(World("addresses"), ReviewScope.Anywhere).Findings.Where(f => f.Reason == "MissingRoleBinding").ToList();
        Assert.Equal([true, false], addresses.Select(f => f.Suggestion is not null));
        Assert.Contains("lacks get on /metrics", addresses[1].Message, StringComparison.Ordinal);
        Assert.All(forks, f => Assert.Equal(("GrantDenied", FindingState.Denied, null), (f.Reason, f.State, f.Suggestion)));
    }

    /// <summary>The complete stack of the reviews without any grant, right or binding, and what is particular to the case.</summary>
    private static ReviewWorld World(string stack)
    {
        var world = new ReviewWorld().Without("AgentSecretGrant", "model").Without("AgentSecretGrant", "dsn").Without("AgentConfigGrant", "config");
        world.Rights.Clear();
        return stack switch
        {
            "env" => world.With("{kind: AgentMcpServer, metadata: {name: mcp}, spec: {transport: stdio, scope: stack, envFrom: [{name: DSN, secretRef: {name: database, key: dsn}}, {name: RULES, configMapRef: {name: settings, key: rules}}]}, status: {health: Ready, conditions: [{type: Ready, status: 'True', reason: Ready, message: ok}]}}"),
            "skill" => world.With("{kind: AgentSkill, metadata: {name: skill}, spec: {format: inline, promptFragment: Be brief, requiredSecretRefs: [{name: database, key: dsn}], requiredConfigRefs: [{name: settings, key: rules}]}, status: {conditions: [{type: Ready, status: 'True', reason: Ready, message: ok}]}}"),
            "tools" => world.With("{kind: Role, metadata: {name: reader}, rules: [{apiGroups: [krate.a5c.ai], resources: [issues, comments], verbs: [get, list]}, {apiGroups: [''], resources: [configmaps], resourceNames: [one], verbs: [get]}, {apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: [list]}]}")
                .With("{kind: AgentToolProfile, metadata: {name: tools}, spec: {filesystemPolicy: repo-write, approvalPolicyByTool: {shell: prompt}, requiredRoles: [reader], nativeTools: {shell: true}, requiredSecretRefs: [{name: database, key: dsn}], requiredConfigRefs: [{name: settings, key: rules}]}}"),
            "addresses" => world.With("{kind: Role, metadata: {name: reader}, rules: [{apiGroups: [krate.a5c.ai], resources: [issues], verbs: [get]}, {nonResourceURLs: [/metrics, /version], verbs: [get]}]}"),
            "subagent" => world.With("{kind: AgentToolProfile, metadata: {name: less}, spec: {filesystemPolicy: read-only, approvalPolicyByTool: {shell: prompt}, requiredSecretRefs: [{name: database, key: dsn}]}}").Change("AgentSubagent", "sub", "spec.toolRefs", new JsonArray("less")),
            "untrusted" => world.Change("AgentStack", "stack", "spec.secretPolicy", new JsonObject { ["allowOnForks"] = true }),
            // The same name three times: for the server, for the skill, and by the dash between server and Secret.
            "alike" => world.With("{kind: AgentSkill, metadata: {name: mcp}, spec: {format: inline, promptFragment: x, requiredSecretRefs: [{name: database, key: dsn}]}, status: {conditions: [{type: Ready, status: 'True', reason: Ready, message: ok}]}}")
                .With("{kind: AgentSkill, metadata: {name: mcp-database}, spec: {format: inline, promptFragment: x, requiredSecretRefs: [{name: dsn, key: dsn}]}, status: {conditions: [{type: Ready, status: 'True', reason: Ready, message: ok}]}}")
                .With("{kind: AgentMcpServer, metadata: {name: mcp}, spec: {transport: stdio, scope: stack, secretRefs: [{name: database-dsn, key: dsn}, {name: database, key: dsn}]}, status: {health: Ready, conditions: [{type: Ready, status: 'True', reason: Ready, message: ok}]}}")
                .With("""{kind: Secret, metadata: {name: dsn, uid: s3, annotations: {krate.a5c.ai/secret-keys: '{"dsn":{"size":9,"version":1}}'}}}""")
                .With("""{kind: Secret, metadata: {name: database-dsn, uid: s4, annotations: {krate.a5c.ai/secret-keys: '{"dsn":{"size":9,"version":1}}'}}}""")
                .Change("AgentStack", "stack", "spec.skillRefs", new JsonArray("skill", "mcp", "mcp-database")),
            "taken" => world.With("{kind: AgentSecretGrant, metadata: {name: stack-mcp-database-dsn}, spec: {subject: {kind: mcp-server, name: another}, secretRef: {name: provider, keys: [api-key]}, purpose: tool}}"),
            _ => world,
        };
    }

    private static ReviewScope ScopeOf(string stack) => stack switch
    {
        "untrusted" => Trusted with { TrustTier = "untrusted", Ref = "refs/pull/4/head" },
        "repository" => Trusted with { Ref = "refs/heads/release/1", TriggerSource = "ci" },
        _ => ReviewScope.Anywhere,
    };

    private static List<JsonObject> Suggested(string stack) => [.. Of(World(stack), ScopeOf(stack)).Findings.Where(f => f.Suggestion is not null).Select(f => f.Suggestion!.Manifest)];

    private static PermissionReview Of(ReviewWorld world, ReviewScope scope, bool dispatch = false) =>
        PermissionReview.Of(world.Stack, world, scope, new() { Actor = "mira", MayDispatch = dispatch, MayRead = _ => true, MayCreate = _ => true });

    /// <summary>As it would be decided if these were applied to a world without grants; bindings give what their rules say to whom they name.</summary>
    private static PermissionReview Review(string stack, ReviewScope scope, IReadOnlyList<JsonObject> applied)
    {
        var world = World(stack);
        List<PolicyRule> agent = [], person = [];
        foreach (var manifest in applied)
        {
            if (manifest.Text("kind") != "AgentRoleBinding") world.With((JsonObject)manifest.DeepClone());
            else (manifest.Text("spec.subject.kind") == "user" && manifest.Text("spec.subject.name") == "mira" ? person : manifest.Text("spec.subject.serviceAccountRef") == "agent" ? agent : []).AddRange(RulesOf(manifest));
        }

        world.Rights["agent"] = [.. agent];
        return Of(world, scope, RbacCoverage.Missing(person, [new(["dispatch"], [WellKnown.ApiGroup], ["agentstacks"], ["stack"], [])]).Count == 0);
    }

    private static IEnumerable<PolicyRule> RulesOf(JsonObject binding) => RbacRules.Read(new JsonObject { ["rules"] = binding["spec"]!["resourceRules"]!.DeepClone() });

    /// <summary>The manifest with each single thing taken away or said of something else.</summary>
    private static IEnumerable<(string What, JsonObject Less)> Less(JsonObject manifest, ReviewScope scope)
    {
        var isRole = manifest.Text("kind") == "AgentRoleBinding";
        if (isRole)
        {
            var rules = (JsonArray)manifest["spec"]!["resourceRules"]!;
            for (var r = 0; r < rules.Count; r++)
            {
                var rule = r;
                yield return ($"rule {r}", With(m => Rules(m).RemoveAt(rule)));
                foreach (var field in (string[])["verbs", "resources"])
                {
                    for (var i = 0; i < ((rules[r]![field] as JsonArray)?.Count ?? 0); i++)
                    {
                        var at = i;
                        yield return ($"rule {r} {field} {i}", With(m => ((JsonArray)Rules(m)[rule]![field]!).RemoveAt(at)));
                    }
                }

                yield return ($"rule {r} for one name", With(m => Rules(m)[rule]!["resourceNames"] = new JsonArray("another")));
            }

            yield return ("another subject", With(m => m.Set(m.Text("spec.subject.kind") == "user" ? "spec.subject.name" : "spec.subject.serviceAccountRef", "another")));
            yield break;
        }

        var reference = manifest.Text("kind") == "AgentSecretGrant" ? "secretRef" : "configMapRef";
        yield return ("another key", With(m => m.Set($"spec.{reference}.keys", new JsonArray("another"))));
        yield return ("another owner", With(m => m.Set($"spec.{reference}.name", "another")));
        yield return ("another purpose", With(m => m.Set("spec.purpose", "debugging")));
        foreach (var field in (string[])["name", "serviceAccountRef", "stackRef"])
            if (manifest.Text($"spec.subject.{field}") is not null) yield return ($"another {field}", With(m => m.Set($"spec.subject.{field}", "another")));
        yield return ("an end", With(m => m.Set("spec.expiresAt", "2026-11-23T11:59:59Z")));
        yield return ("a Deny", With(m => m.Set("spec.effect", "Deny")));
        if (scope == ReviewScope.Anywhere) yield break;
        yield return ("another repository", With(m => m.Set("spec.allowedRepositories", new JsonArray("another"))));
        yield return ("another ref", With(m => m.Set("spec.allowedRefs.include", new JsonArray("refs/heads/another"))));
        yield return ("this ref excluded", With(m => m.Set("spec.allowedRefs.exclude", new JsonArray(scope.Ref!))));
        yield return ("another source", With(m => m.Set("spec.allowedTriggerSources", new JsonArray("webhook"))));
        if (scope.IsUntrusted && reference == "secretRef") yield return ("trusted only", With(m => m.Set("spec.allowedTrustTiers", new JsonArray("trusted"))));

        JsonObject With(Action<JsonObject> change)
        {
            var copy = (JsonObject)manifest.DeepClone();
            change(copy);
            return copy;
        }

        static JsonArray Rules(JsonObject m) => (JsonArray)m["spec"]!["resourceRules"]!;
    }

    private static void AssertRed(string stack, ReviewScope scope, IReadOnlyList<JsonObject> applied, JsonObject less, string what)
    {
        var review = Review(stack, scope, applied);
        string[] right = less.Text("kind") switch
        {
            "AgentRoleBinding" => less.Text("spec.roleRef.kind") == "RoleTemplate" ? ["DispatchForbidden"] : ["MissingRoleBinding"],
            "AgentSecretGrant" => what switch { "an end" => ["GrantExpired"], "a Deny" => ["GrantDenied"], "another repository" or "another ref" or "this ref excluded" or "another source" or "trusted only" => ["GrantDenied"], _ => ["MissingSecretGrant"] },
            _ => what switch { "an end" => ["GrantExpired"], "a Deny" => ["GrantDenied"], "another repository" or "another ref" or "this ref excluded" or "another source" => ["GrantDenied"], _ => ["MissingConfigGrant"] },
        };
        var red = review.Findings.Where(f => f.IsBlocking).Select(f => f.Reason).Distinct().ToList();
        Assert.True(review.Decision == ReviewDecision.Denied && red.SequenceEqual(right), $"{stack}: {less.Text("kind")} {less.Text("metadata.name")}, {what}: {review.Decision}, {string.Join(", ", red)} instead of {string.Join(", ", right)}");
    }

    private static void AssertDecision(ReviewDecision wanted, PermissionReview review) =>
        Assert.True(review.Decision == wanted, $"{review.Decision}: {string.Join('\n', review.Findings.Where(f => f.State > FindingState.Allowed).Select(f => $"{f.Reason} {f.Message}"))}");
}
