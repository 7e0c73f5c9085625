using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Api;

/// <summary>Unmodified kubectl, both supported versions, against the real server.</summary>
[Collection<ApiCollection>]
public sealed class KubectlTests(ApiServer api)
{
    private const string Ns = "-n " + ApiServer.Namespace;

    public static TheoryData<string> Versions => ["1.32", "1.34"];

    [Theory, MemberData(nameof(Versions))]
    public async Task It_knows_every_kind_and_nothing_is_skewed(string version)
    {
        using var kubectl = Kubectl.Of(version, api.Server.Kubeconfig);
        var (_, _, error) = await kubectl.TryAsync("version");
        Assert.Equal("", error);
        var kinds = await kubectl.RunAsync("api-resources --no-headers -o name");
        var catalog = api.Server.Service<KindCatalog>();
        Assert.Equal(catalog.All.Select(k => k.QualifiedPlural).Order(StringComparer.Ordinal), kinds.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
        Assert.Contains("v1alpha1", await kubectl.RunAsync("api-versions"), StringComparison.Ordinal);
        Assert.Contains("No resources found", await kubectl.RunAsync("get all -n default"), StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Versions))]
    public async Task What_is_applied_twice_is_unchanged_and_can_be_changed_in_every_way(string version)
    {
        using var kubectl = Kubectl.Of(version, api.Server.Kubeconfig);
        var name = Name("ways", version);
        var file = kubectl.Save("label.yaml", Manifest(name, "One."));
        Assert.Contains("created", await kubectl.RunAsync($"apply -f {file}"), StringComparison.Ordinal);
        Assert.Contains("unchanged", await kubectl.RunAsync($"apply -f {file}"), StringComparison.Ordinal);

        kubectl.Save("label.yaml", Manifest(name, "Two."));
        var diff = await kubectl.FailAsync($"diff -f {file}");
        Assert.Contains("-  rolePrompt: One.", diff, StringComparison.Ordinal);
        Assert.Contains("+  rolePrompt: Two.", diff, StringComparison.Ordinal);
        Assert.Contains("configured", await kubectl.RunAsync($"apply -f {file} --dry-run=server"), StringComparison.Ordinal);
        Assert.Equal("One.", await Spec("rolePrompt"));
        Assert.Contains("configured", await kubectl.RunAsync($"apply -f {file}"), StringComparison.Ordinal);
        await kubectl.RunAsync($"diff -f {file}");
        Assert.Equal("Two.", await Spec("rolePrompt"));

        await kubectl.RunAsync($"patch agentsubagent {name} {Ns} -p {{\"spec\":{{\"modelOverride\":\"default\"}}}}");
        Assert.Equal("default", await Spec("modelOverride"));
        await kubectl.RunAsync($"patch agentsubagent {name} {Ns} --type=merge -p {{\"spec\":{{\"modelOverride\":\"merge\"}}}}");
        Assert.Equal("merge", await Spec("modelOverride"));
        await kubectl.RunAsync($"patch agentsubagent {name} {Ns} --type=json -p [{{\"op\":\"replace\",\"path\":\"/spec/modelOverride\",\"value\":\"json\"}}]");
        Assert.Equal("json", await Spec("modelOverride"));
        Assert.Contains("replace /spec/nothing", await kubectl.FailAsync($"patch agentsubagent {name} {Ns} --type=json -p [{{\"op\":\"replace\",\"path\":\"/spec/nothing\",\"value\":1}}]"), StringComparison.Ordinal);

        await kubectl.RunAsync($"label agentsubagent {name} {Ns} tier=gold");
        await kubectl.RunAsync($"annotate agentsubagent {name} {Ns} note=hello");
        Assert.Contains(name, await kubectl.RunAsync($"get agentsubagents {Ns} -l tier=gold -o name"), StringComparison.Ordinal);
        Assert.Equal("hello", await kubectl.RunAsync($"get agentsubagent {name} {Ns} -o jsonpath={{.metadata.annotations.note}}"));

        var editor = kubectl.Save("editor.sh", "#!/bin/sh\nsed -i s/Two/Three/ \"$1\"\n");
        File.SetUnixFileMode(editor, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Assert.Contains("edited", await kubectl.RunAsync($"edit agentsubagent {name} {Ns}", editor: editor), StringComparison.Ordinal);
        Assert.Equal("Three.", await Spec("rolePrompt"));

        var yaml = await kubectl.RunAsync($"get agentsubagent {name} {Ns} -o yaml");
        Assert.Contains("replaced", await kubectl.RunAsync("replace -f -", yaml.Replace("Three.", "Four.", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("the object has been modified", await kubectl.FailAsync("replace -f -", yaml), StringComparison.Ordinal);
        Assert.Equal("Four.", await Spec("rolePrompt"));

        Assert.Contains("unknown field \"spec.colour\"", await kubectl.FailAsync("create -f -", Manifest(name + "x", "x\n  colour: red")), StringComparison.Ordinal);
        Assert.Contains("spec.taskKinds", await kubectl.FailAsync("create -f -", Manifest(name + "x", "x").Replace("[review]", "7", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("deleted", await kubectl.RunAsync($"delete -f {file}"), StringComparison.Ordinal);
        Assert.Contains("NotFound", await kubectl.FailAsync($"get agentsubagent {name} {Ns}"), StringComparison.Ordinal);

        async Task<string> Spec(string field) => await kubectl.RunAsync($"get agentsubagent {name} {Ns} -o jsonpath={{.spec.{field}}}");
    }

    [Theory, MemberData(nameof(Versions))]
    public async Task Server_side_apply_refuses_a_conflict_by_name_and_force_takes_over(string version)
    {
        using var kubectl = Kubectl.Of(version, api.Server.Kubeconfig);
        var name = Name("ssa", version);
        await kubectl.RunAsync($"apply --server-side --field-manager=ann -f -", Manifest(name, "Ann's."));
        var before = await Version();
        await kubectl.RunAsync($"apply --server-side --field-manager=ann -f -", Manifest(name, "Ann's."));
        Assert.Equal(before, await Version());

        var refusal = await kubectl.FailAsync($"apply --server-side --field-manager=bob -f -", Manifest(name, "Bob's."));
        Assert.Contains("Apply failed with 1 conflict: conflict with \"ann\": .spec.rolePrompt", refusal, StringComparison.Ordinal);
        Assert.Contains("--force-conflicts", refusal, StringComparison.Ordinal);
        await kubectl.RunAsync($"apply --server-side --field-manager=bob --force-conflicts -f -", Manifest(name, "Bob's."));
        var managers = KrateJson.ParseObject(await kubectl.RunAsync($"get agentsubagent {name} {Ns} -o json --show-managed-fields"));
        Assert.Equal("Bob's.", managers.Text("spec.rolePrompt"));
        Assert.Equal(["ann", "bob"], ((JsonArray)managers.At("metadata.managedFields")!).Select(e => e.Text("manager")!).Order(StringComparer.Ordinal));

        // From client-side to server-side: kubectl moves the ownership itself, so that no conflict with one's own past arises.
        var moved = Name("moved", version);
        await kubectl.RunAsync("apply -f -", Manifest(moved, "Client."));
        await kubectl.RunAsync("apply --server-side -f -", Manifest(moved, "Client."));
        await kubectl.RunAsync("apply --server-side -f -", Manifest(moved, "Server."));
        Assert.Equal("Server.", await kubectl.RunAsync($"get agentsubagent {moved} {Ns} -o jsonpath={{.spec.rolePrompt}}"));

        async Task<string> Version() => await kubectl.RunAsync($"get agentsubagent {name} {Ns} -o jsonpath={{.metadata.resourceVersion}}");
    }

    [Theory, MemberData(nameof(Versions))]
    public async Task A_watch_shows_what_happens_and_wait_ends_when_it_has(string version)
    {
        using var kubectl = Kubectl.Of(version, api.Server.Kubeconfig);
        var name = Name("watched", version);
        await kubectl.FollowAsync($"get agentsubagents {Ns} -w --output-watch-events", async lines =>
        {
            await kubectl.RunAsync("create -f -", Manifest(name, "One."));
            Assert.StartsWith("ADDED", await lines.UntilAsync(name), StringComparison.Ordinal);
            await kubectl.RunAsync($"label agentsubagent {name} {Ns} a=b");
            Assert.StartsWith("MODIFIED", await lines.UntilAsync(name), StringComparison.Ordinal);
            await kubectl.RunAsync($"delete agentsubagent {name} {Ns}");
            Assert.StartsWith("DELETED", await lines.UntilAsync(name), StringComparison.Ordinal);
        });

        var stack = Name("stack", version);
        await kubectl.RunAsync("apply -f -", Stack(stack));
        await kubectl.RunAsync($"wait agentstack/{stack} {Ns} --for=condition=Ready=False --timeout=60s");
        var printed = await kubectl.RunAsync($"get stacks {stack} {Ns} -o wide");
        Assert.Matches("^NAME +AGENT .*READY .*AGE", printed.Split('\n')[0]);
        Assert.Matches($"{stack} .*False", printed);
        Assert.Contains("Conditions:", await kubectl.RunAsync($"describe agentstack {stack} {Ns}"), StringComparison.Ordinal);

        await kubectl.RunAsync($"patch agentstack {stack} {Ns} --type=merge -p {{\"metadata\":{{\"finalizers\":[\"example.com/hold\"]}}}}");
        await kubectl.RunAsync($"delete agentstack {stack} {Ns} --wait=false");
        Assert.NotEqual("", await kubectl.RunAsync($"get agentstack {stack} {Ns} -o jsonpath={{.metadata.deletionTimestamp}}"));
        var waiting = kubectl.RunAsync($"wait agentstack/{stack} {Ns} --for=delete --timeout=60s");
        await kubectl.RunAsync($"patch agentstack {stack} {Ns} --type=merge -p {{\"metadata\":{{\"finalizers\":null}}}}");
        await waiting;
    }

    [Theory, MemberData(nameof(Versions))]
    public async Task Lists_are_paged_selected_and_sorted(string version)
    {
        using var kubectl = Kubectl.Of(version, api.Server.Kubeconfig);
        var batch = Name("batch", version);
        await kubectl.RunAsync("create -f -", string.Join("\n---\n", Enumerable.Range(0, 7).Select(i => Manifest($"{batch}-{i}", $"Text {9 - i}.", $"{{batch: {batch}, odd: \"{i % 2 == 1}\"}}"))));
        Assert.Equal(7, Names(await kubectl.RunAsync($"get agentsubagents {Ns} -l batch={batch} --chunk-size=3 -o name")).Length);
        Assert.Equal(3, Names(await kubectl.RunAsync($"get agentsubagents {Ns} -l batch={batch},odd=True -o name")).Length);
        Assert.Equal(4, Names(await kubectl.RunAsync($"get agentsubagents {Ns} -l 'batch in ({batch}),odd notin (True)' -o name")).Length);
        Assert.Single(Names(await kubectl.RunAsync($"get agentsubagents -A --field-selector metadata.name={batch}-4 -o name")));
        Assert.Contains("field label not supported", await kubectl.FailAsync($"get agentsubagents {Ns} --field-selector spec.modelOverride=x"), StringComparison.Ordinal);
        var sorted = await kubectl.RunAsync($"get agentsubagents {Ns} -l batch={batch} --sort-by=.spec.rolePrompt --no-headers");
        Assert.Equal(Enumerable.Range(0, 7).Reverse().Select(i => $"{batch}-{i}"), Names(sorted).Select(l => l.Split(' ')[0]));
        Assert.Contains("deleted", await kubectl.RunAsync($"delete agentsubagents {Ns} -l batch={batch}"), StringComparison.Ordinal);
        Assert.Contains("No resources found", await kubectl.RunAsync($"get agentsubagents {Ns} -l batch={batch}"), StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Versions))]
    public async Task Explain_tells_every_field(string version)
    {
        using var kubectl = Kubectl.Of(version, api.Server.Kubeconfig);
        var all = await kubectl.RunAsync("explain agentstack --recursive");
        foreach (var field in new[] { "runtimeIdentity", "serviceAccountRef", "toolProfileRef", "secretPolicy", "allowOnForks", "conditions", "lastTransitionTime", "ownerReferences" })
            Assert.Contains(field, all, StringComparison.Ordinal);
        Assert.Contains("-required-", await kubectl.RunAsync("explain agentstack.spec"), StringComparison.Ordinal);
        Assert.Contains("<map[string]string>", await kubectl.RunAsync("explain configmap.data"), StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Versions))]
    public async Task Native_kinds_are_made_by_its_own_commands(string version)
    {
        using var kubectl = Kubectl.Of(version, api.Server.Kubeconfig);
        var space = Name("space", version);
        await kubectl.RunAsync($"create namespace {space}");
        await kubectl.RunAsync($"create serviceaccount builder -n {space}");
        await kubectl.RunAsync($"create secret generic keys -n {space} --from-literal=password=correct-horse-battery --from-literal=user=mira");
        await kubectl.RunAsync($"create secret docker-registry pull -n {space} --docker-server=registry.example.com --docker-username=u --docker-password=another-long-password");
        await kubectl.RunAsync($"create configmap settings -n {space} --from-literal=mode=fast");
        await kubectl.RunAsync($"create role reader -n {space} --verb=get,list,watch --resource=configmaps,agentstacks.krate.a5c.ai");
        await kubectl.RunAsync($"create rolebinding reader -n {space} --role=reader --serviceaccount={space}:builder --user=mira");
        await kubectl.RunAsync($"create clusterrole {space} --verb=get --resource=namespaces --resource-name={space}");
        await kubectl.RunAsync($"create clusterrolebinding {space} --clusterrole={space} --user=mira");
        Assert.Equal("fast", await kubectl.RunAsync($"get configmap settings -n {space} -o jsonpath={{.data.mode}}"));

        var token = (await kubectl.RunAsync($"create token builder -n {space} --duration=20m")).Trim();
        using var builder = api.Server.NewClient(token);
        Assert.Equal(200, (await api.GetAsync($"/api/v1/namespaces/{space}/configmaps/settings", client: builder)).Code);
        Assert.Equal(403, (await api.GetAsync($"/api/v1/namespaces/{space}/secrets", client: builder)).Code);

        Assert.Contains("krate-admin", await kubectl.RunAsync("auth whoami"), StringComparison.Ordinal);
        Assert.Equal("yes", (await kubectl.RunAsync($"auth can-i list configmaps -n {space} --as mira")).Trim());
        Assert.StartsWith("no", await kubectl.FailAsync($"auth can-i delete configmaps -n {space} --as mira"), StringComparison.Ordinal);
        Assert.Contains("configmaps", await kubectl.RunAsync($"auth can-i --list -n {space} --as mira"), StringComparison.Ordinal);
        Assert.Contains("Forbidden", await kubectl.FailAsync($"get secrets -n {space} --as mira"), StringComparison.Ordinal);

        // Strategic merge patches, which it sends for the kinds that it knows.
        await kubectl.RunAsync($"patch serviceaccount builder -n {space} -p {{\"imagePullSecrets\":[{{\"name\":\"pull\"}}]}}");
        await kubectl.RunAsync($"patch serviceaccount builder -n {space} -p {{\"imagePullSecrets\":[{{\"name\":\"keys\"}}]}}");
        Assert.Equal("pull keys", await kubectl.RunAsync($"get serviceaccount builder -n {space} -o jsonpath={{.imagePullSecrets[*].name}}"));
        await kubectl.RunAsync($"set subject rolebinding/reader -n {space} --user=bob");
        await kubectl.RunAsync("apply -f -", ConfigMap(space, "  a: one\n  b: two"));
        await kubectl.RunAsync("apply -f -", ConfigMap(space, "  b: two"));
        Assert.Equal("{\"b\":\"two\"}", await kubectl.RunAsync($"get configmap applied -n {space} -o jsonpath={{.data}}"));
        Assert.Contains("unchanged", await kubectl.RunAsync("apply -f -", ConfigMap(space, "  b: two")), StringComparison.Ordinal);
        await kubectl.RunAsync($"delete namespace {space} --timeout=60s");
        Assert.Contains("NotFound", await kubectl.FailAsync($"get namespace {space}"), StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Versions))]
    public async Task A_secret_value_is_never_shown_and_survives_every_kind_of_write(string version)
    {
        using var kubectl = Kubectl.Of(version, api.Server.Kubeconfig);
        var name = Name("hidden", version);
        const string Value = "t0p-s3cret-value-0123456789";
        var manifest = $"apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: {ApiServer.Namespace}}}\nstringData: {{token: {Value}}}\n";
        var base64 = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(Value));
        var printed = "";
        printed += await kubectl.RunAsync("apply -f - -o yaml", manifest);
        var version1 = await KeysAsync();
        printed += await kubectl.RunAsync("apply -f - -o yaml", manifest);
        printed += await kubectl.RunAsync("apply --server-side --force-conflicts -f - -o yaml", manifest);
        printed += await kubectl.RunAsync("apply --server-side -f - -o yaml --dry-run=server", manifest);
        printed += await kubectl.RunAsync($"label secret {name} {Ns} a=b -o yaml");
        var yaml = await kubectl.RunAsync($"get secret {name} {Ns} -o yaml --show-managed-fields");
        printed += yaml + await kubectl.RunAsync("replace -f - -o yaml", yaml);
        printed += await kubectl.RunAsync($"describe secret {name} {Ns}");
        var (_, diff, _) = await kubectl.TryAsync("diff -f -", manifest);
        printed += diff;
        Assert.Equal(version1, await KeysAsync());
        Assert.DoesNotContain(Value, printed, StringComparison.Ordinal);
        Assert.DoesNotContain(base64, printed, StringComparison.Ordinal);

        async Task<string> KeysAsync() => await kubectl.RunAsync($"get secret {name} {Ns} -o jsonpath={{.metadata.annotations.krate\\.a5c\\.ai/secret-keys}}");
    }

    private static string[] Names(string output) => output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static string Name(string what, string version) => $"{what}-{version.Replace('.', '-')}";

    private static string Manifest(string name, string text, string labels = "{}") =>
        $"apiVersion: krate.a5c.ai/v1alpha1\nkind: AgentSubagent\nmetadata: {{name: {name}, namespace: {ApiServer.Namespace}, labels: {labels}}}\nspec:\n  taskKinds: [review]\n  rolePrompt: {text}\n";

    private static string Stack(string name) =>
        $"apiVersion: krate.a5c.ai/v1alpha1\nkind: AgentStack\nmetadata: {{name: {name}, namespace: {ApiServer.Namespace}}}\nspec:\n  baseAgent: claude-code\n  adapter: agent-mux.claude-code\n  runtimeIdentity: {{serviceAccountRef: nobody}}\n";

    private static string ConfigMap(string ns, string data) => $"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: applied, namespace: {ns}}}\ndata:\n{data}\n";
}
