using System.Text.Json.Nodes;
using Krate.Core.Kinds;
using Krate.Core.Resources;

namespace Krate.Tests.Kinds;

/// <summary>Defaults, rules beyond the schema, columns and references of single kinds.</summary>
public sealed class KindRulesTests
{
    [Theory]
    [InlineData("AgentStack", "spec.approvalMode", "prompt")]
    [InlineData("AgentStack", "spec.writeBackPolicy.requireApproval", "true")]
    [InlineData("AgentSecretGrant", "spec.effect", "Allow")]
    [InlineData("AgentSecretGrant", "spec.allowedTrustTiers", "[\"trusted\"]")]
    [InlineData("AgentConfigGrant", "spec.effect", "Allow")]
    [InlineData("AgentServiceAccount", "spec.automountServiceAccountToken", "false")]
    [InlineData("Repository", "spec.agentPolicy.allowSelfApproval", "false")]
    [InlineData("Repository", "spec.defaultBranch", "main")]
    [InlineData("RunnerPool", "spec.trustTier", "untrusted")]
    [InlineData("AgentToolProfile", "spec.networkPolicy.default", "deny")]
    [InlineData("Secret", "type", "Opaque")]
    public void A_default_is_filled_in_once_and_keeps_what_is_given(string kind, string path, string value)
    {
        var row = KindTable.Catalog[kind];
        var document = Samples.Of(row);
        row.Default!(document);
        Assert.Equal(value, document.At(path) is JsonArray a ? a.ToJsonString() : document.At(path)?.ToString());
        var before = document.Copy();
        row.Default(document);
        Assert.True(JsonNode.DeepEquals(before, document));
        var full = Samples.Of(row, everything: true);
        var given = full.At(path)!.DeepClone();
        row.Default(full);
        Assert.True(JsonNode.DeepEquals(given, full.At(path)));
    }

    [Fact]
    public void A_default_below_a_field_of_a_wrong_type_leaves_it_to_validation()
    {
        var row = KindTable.Catalog["AgentStack"];
        var document = Samples.Of(row);
        document["spec"]!["writeBackPolicy"] = "never";
        row.Default!(document);
        Assert.Contains(SchemaValidator.Validate(row, document), e => e.Field == "spec.writeBackPolicy");
    }

    [Fact]
    public void An_organization_gets_its_namespace_from_its_slug()
    {
        var document = Yaml.ParseObject("metadata: {name: acme}\nspec: {slug: acme}");
        KindTable.Catalog["Organization"].Default!(document);
        Assert.Equal("krate-org-acme", document.Text("spec.namespaceName"));
    }

    [Theory]
    [InlineData("spec: {secretRef: {name: x, value: hunter2}}", "spec.secretRef.value")]
    [InlineData("spec: {secretRef: {name: x}, stringData: {a: b}}", "spec.stringData")]
    [InlineData("spec: {secretRef: {name: x, items: [{key: a, pass_word: b}]}}", "spec.secretRef.items[0].pass_word")]
    [InlineData("spec: {subject: {kind: x, name: y, API-Key: z}}", "spec.subject.API-Key")]
    public void A_grant_that_carries_a_value_is_refused_at_any_depth(string yaml, string path)
    {
        foreach (var kind in new[] { "AgentSecretGrant", "AgentConfigGrant" })
        {
            var error = Assert.Single(KindTable.Catalog[kind].Inspect!(Yaml.ParseObject(yaml)));
            Assert.Equal(("SECRET_VALUE_REJECTED", path), (error.Reason, error.Field));
            Assert.DoesNotContain("hunter2", error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("AgentMcpServer", "spec: {transport: stdio, scope: org}", "spec.command")]
    [InlineData("AgentMcpServer", "spec: {transport: sse, scope: org}", "spec.url")]
    [InlineData("AgentMcpServer", "spec: {transport: stdio, scope: org, command: x, url: 'http://x'}", "spec.url")]
    [InlineData("AgentMcpServer", "spec: {transport: sse, scope: org, url: 'https://me:pw@x/'}", "spec.url")]
    [InlineData("AgentMcpServer", "spec: {transport: stdio, scope: org, command: x, envFrom: [{name: A}]}", "spec.envFrom[0]")]
    [InlineData("AgentSkill", "spec: {format: inline, sourceRef: {}}", "spec.promptFragment")]
    [InlineData("AgentSkill", "spec: {format: file, sourceRef: {repository: a, path: ../b}}", "spec.sourceRef.path")]
    [InlineData("User", "spec: {displayName: x, email: not an address}", "spec.email")]
    [InlineData("User", "spec: {displayName: x, email: 'a@b@c.d'}", "spec.email")]
    [InlineData("RunnerPool", "spec: {warmReplicas: 3, maxReplicas: 2}", "spec.warmReplicas")]
    [InlineData("Organization", "metadata: {name: acme}\nspec: {slug: other, namespaceName: n}", "spec.slug")]
    [InlineData("Organization", "metadata: {name: acme}\nspec: {slug: acme, namespaceName: krate-system}", "spec.namespaceName")]
    [InlineData("OrgSharingPolicy", "spec: {sourceOrg: a, targetOrg: a, allowedRefs: []}", "spec.targetOrg")]
    [InlineData("OrgSharingPolicy", "spec: {sourceOrg: a, targetOrg: b, allowedRefs: [{kind: Secret, name: x}]}", "spec.allowedRefs[0].kind")]
    [InlineData("Repository", "spec: {visibility: private, defaultBranch: 'a..b'}", "spec.defaultBranch")]
    [InlineData("Repository", "metadata: {name: x.git}\nspec: {visibility: private}", "metadata.name")]
    [InlineData("Repository", "metadata: {name: new}\nspec: {visibility: private}", "metadata.name")]
    [InlineData("Repository", "metadata: {name: r}\nspec: {visibility: private, forkOf: r}", "spec.forkOf")]
    [InlineData("BranchProtection", "spec: {refs: ['refs/heads/a b']}", "spec.refs[0]")]
    [InlineData("SSHKey", "spec: {scope: user, key: '-----BEGIN OPENSSH PRIVATE KEY-----'}", "spec.key")]
    [InlineData("PullRequest", "spec: {repository: r, title: t, sourceRef: main, targetRef: main}", "spec.sourceRef")]
    [InlineData("Comment", "spec: {targetRef: {kind: Issue, name: i}, body: b, line: 3}", "spec.path")]
    [InlineData("AgentServiceAccount", "metadata: {name: a, namespace: krate-org-acme}\nspec: {namespace: kube-system, serviceAccountName: a}", "spec.namespace")]
    [InlineData("AgentSecretGrant", "metadata: {name: a, namespace: krate-org-acme}\nspec: {secretRef: {namespace: other, name: a}}", "spec.secretRef.namespace")]
    [InlineData("AgentRoleBinding", "spec: {scope: {kind: cluster}, roleRef: {kind: Role, name: r}}", "spec.roleRef.kind")]
    [InlineData("AgentRoleBinding", "spec: {scope: {kind: namespace}, roleRef: {kind: Role, name: r}}", "spec.scope.name")]
    [InlineData("WebhookSubscription", "spec: {url: 'https://u:p@h/', events: [push]}", "spec.url")]
    [InlineData("AgentToolProfile", "spec: {networkPolicy: {allowHosts: ['https://x/y']}}", "spec.networkPolicy.allowHosts[0]")]
    [InlineData("AgentWorkspace", "spec: {workspacePath: a/../../b, ownership: {kind: host}}", "spec.workspacePath")]
    [InlineData("AgentArtifact", "spec: {kind: log, patch: {baseSha: a}}", "spec.patch")]
    [InlineData("RoleBinding", "roleRef: {kind: Pod, name: x}", "roleRef.kind")]
    [InlineData("RoleBinding", "roleRef: {kind: Role, name: x}\nsubjects: [{kind: ServiceAccount, name: a}]", "subjects[0].namespace")]
    [InlineData("ClusterRoleBinding", "roleRef: {kind: Role, name: x}", "roleRef.kind")]
    [InlineData("Role", "rules: [{verbs: [get], nonResourceURLs: [/x]}]", "rules[0].nonResourceURLs")]
    [InlineData("Role", "rules: [{verbs: [get], apiGroups: ['']}]", "rules[0].resources")]
    [InlineData("Role", "rules: [{verbs: [], apiGroups: [''], resources: [secrets]}]", "rules[0].verbs")]
    [InlineData("Secret", "data: {'a/b': aGk=}", "data")]
    public void A_rule_beyond_the_schema_names_its_field(string kind, string yaml, string path) =>
        Assert.Equal([path], KindTable.Catalog[kind].Validate!(Yaml.ParseObject(yaml)).Select(e => e.Field));

    [Theory]
    [InlineData("Secret", "data: {a: not base64!}", "data.a")]
    [InlineData("RoleBinding", "roleRef: {kind: Role}", "roleRef.name")]
    [InlineData("RoleBinding", "subjects: []", "roleRef.kind")]
    [InlineData("Role", "rules: [{verbs: [get, {}]}]", "rules[0].verbs[1]")]
    [InlineData("Role", "rules: [{resources: [x]}]", "rules[0].verbs")]
    [InlineData("Event", "message: x", "involvedObject")]
    [InlineData("ConfigMap", "data: {a: 1}", "data.a")]
    [InlineData("ServiceAccount", "automountServiceAccountToken: 'yes'", "automountServiceAccountToken")]
    public void Native_documents_are_held_to_their_schema(string kind, string yaml, string path)
    {
        var document = Yaml.ParseObject(yaml);
        document["metadata"] = new JsonObject { ["name"] = "x" };
        Assert.Contains(SchemaValidator.Validate(KindTable.Catalog[kind], document), e => e.Field == path);
    }

    [Fact]
    public void Rules_hold_for_documents_of_wrong_types_without_failing()
    {
        foreach (var row in KindTable.All)
        {
            var full = Samples.Of(row, everything: true);
            foreach (var (path, _) in Samples.Leaves(row))
            {
                foreach (var value in new JsonNode[] { 7, "text", new JsonArray(1, "x", new JsonObject()), new JsonObject { ["x"] = 1 } })
                {
                    var document = full.Copy();
                    Samples.Put(document, path, value.DeepClone());
                    _ = row.Inspect?.Invoke(document).ToList();
                    row.Default?.Invoke(document);
                    _ = row.Validate?.Invoke(document).ToList();
                    foreach (var column in row.Columns) _ = column.Read(document);
                    _ = row.References.SelectMany(r => r.Read(document, KindTable.Catalog)).ToList();
                }
            }
        }
    }

    [Fact]
    public void Columns_read_fields_conditions_lists_and_computed_cells()
    {
        var stack = Yaml.ParseObject("""
            spec: {baseAgent: claude-code, skillRefs: [a, b], limits: {maxConcurrentRuns: 3}}
            status:
              conditions:
              - {type: PolicyAdmitted, status: "True"}
              - {type: Ready, status: "False", reason: MissingServiceAccount}
            """);
        var row = KindTable.Catalog["AgentStack"];
        Assert.Equal("claude-code", row.Columns.Single(c => c.Name == "Agent").Read(stack)!.GetValue<string>());
        Assert.Equal("False", row.Columns.Single(c => c.Name == "Ready").Read(stack)!.GetValue<string>());
        Assert.Equal("MissingServiceAccount", row.Columns.Single(c => c.Name == "Reason").Read(stack)!.GetValue<string>());
        Assert.Null(row.Columns.Single(c => c.Name == "Phase").Read(stack));
        Assert.Equal("a,b", new KindColumn("Skills", "spec.skillRefs").Read(stack)!.GetValue<string>());
        Assert.Equal(3, new KindColumn("Most", "spec.limits.maxConcurrentRuns", "integer").Read(stack)!.GetValue<long>());

        var secret = Yaml.ParseObject("""
            metadata: {annotations: {krate.a5c.ai/secret-keys: '{"a":{"size":3},"b":{"size":4}}'}}
            type: Opaque
            """);
        Assert.Equal(2, KindTable.Catalog["Secret"].Columns[1].Read(secret)!.GetValue<int>());
        Assert.Equal("Role/x", KindTable.Catalog["RoleBinding"].Columns[0].Read(Yaml.ParseObject("roleRef: {kind: Role, name: x}"))!.GetValue<string>());
        var happened = Yaml.ParseObject("involvedObject: {kind: AgentStack, name: s}\nlastTimestamp: '2026-05-10T12:00:00Z'");
        Assert.Equal("agentstack/s", KindTable.Catalog["Event"].Columns.Single(c => c.Name == "Object").Read(happened)!.GetValue<string>());
        Assert.Equal("2026-05-10T12:00:00Z", KindTable.Catalog["Event"].Columns[0].Read(happened)!.GetValue<string>());
    }

    [Fact]
    public void Every_column_of_every_kind_has_a_cell_for_a_full_document()
    {
        foreach (var row in KindTable.All.Where(k => !k.CreateOnly))
        {
            var document = Samples.Of(row, everything: true);
            document["metadata"]!["creationTimestamp"] = "2026-05-10T12:00:00Z";
            if (row.IsProduct) document["status"]!["conditions"]![0]!["type"] = "Ready";
            var empty = row.Columns.Where(c => c.Path != "status.conditions[ServiceAccountSynced].status" && c.Read(document) is null).Select(c => c.Name);
            Assert.True(!empty.Any(), $"{row.Kind}: {string.Join(", ", empty)}");
        }
    }

    [Fact]
    public void References_give_kind_name_path_and_namespace()
    {
        var grant = Yaml.ParseObject("""
            spec:
              subject: {kind: agent-stack, name: s, serviceAccountRef: sa}
              secretRef: {namespace: krate-org-acme, name: token, keys: [a]}
              allowedRepositories: [one, two@other, "*"]
            """);
        var found = KindTable.Catalog["AgentSecretGrant"].References.SelectMany(r => r.Read(grant, KindTable.Catalog)).Select(t => $"{t.Field} {t.Kind.Kind} {t.Name} {t.Namespace}").ToList();
        Assert.Equal(
            [
                "spec.subject.name AgentStack s ",
                "spec.subject.serviceAccountRef ServiceAccount sa ",
                "spec.allowedRepositories[0] Repository one ",
                "spec.allowedRepositories[1] Repository two@other ",
                "spec.secretRef.name Secret token krate-org-acme",
            ],
            found);
    }

    [Fact]
    public void The_examples_of_the_seed_are_valid()
    {
        foreach (var document in File.ReadAllText(Path.Combine(Repository.Root, "Krate.Tests/Kinds/seed-examples.yaml")).Split("---\n", StringSplitOptions.RemoveEmptyEntries))
        {
            var body = Yaml.ParseObject(document);
            var row = KindTable.Catalog[body.Text("kind")!];
            Assert.Empty(row.Inspect?.Invoke(body) ?? []);
            Assert.Empty(SchemaValidator.Prune(row, body));
            row.Default?.Invoke(body);
            Assert.Empty(SchemaValidator.Validate(row, body));
            Assert.Empty(row.Validate?.Invoke(body) ?? []);
        }
    }
}
