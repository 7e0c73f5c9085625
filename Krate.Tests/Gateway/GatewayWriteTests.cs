using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Gateway;

/// <summary>What a write goes through, from the outside: the gateway over a real store.</summary>
public sealed class GatewayWriteTests(KrateCore core) : IClassFixture<KrateCore>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static KindDefinition Kind(string kind) => KindTable.Catalog[kind];

    [Fact]
    public async Task A_created_resource_gets_identity_labels_and_storage_class_and_keeps_no_client_status()
    {
        var ns = await core.NewOrgAsync();
        var document = Stack("fresh");
        document["status"] = new JsonObject { ["phase"] = "Ready" };
        var made = await core.Gateway.CreateAsync(core.Admin, Kind("AgentStack"), ns, document, new WriteOptions(), Ct);

        Assert.NotEmpty(made.Uid);
        Assert.Equal(1, made.Generation);
        Assert.True(made.Version > 0);
        Assert.Equal("etcd", made.Body.Text("status.storage"));
        Assert.Null(made.Body.Text("status.phase"));
        Assert.Equal(ns["krate-org-".Length..], made.Label(WellKnown.OrgLabel));
        Assert.Equal(made.Label(WellKnown.OrgLabel), made.Body.Text("spec.organizationRef"));
    }

    [Fact]
    public async Task An_unknown_field_is_refused_when_strict_and_dropped_with_a_warning_otherwise()
    {
        var ns = await core.NewOrgAsync();
        var document = Stack("odd");
        document.Set("spec.colour", "red");
        var refused = await RefusedAsync(() => core.Gateway.CreateAsync(core.Admin, Kind("AgentStack"), ns, document, new WriteOptions(), Ct));
        Assert.Equal(400, refused.Code);
        Assert.Contains("unknown field \"spec.colour\"", refused.Message, StringComparison.Ordinal);

        var warnings = new List<string>();
        var made = await core.Gateway.CreateAsync(core.Admin, Kind("AgentStack"), ns, document, new WriteOptions { FieldValidation = FieldValidation.Warn, Warn = warnings.Add }, Ct);
        Assert.Null(made.Body.At("spec.colour"));
        Assert.Equal(["unknown field \"spec.colour\""], warnings);
    }

    [Theory]
    [InlineData("default", null, "ORG_REQUIRED")]
    [InlineData(null, "nobody", "ORG_NOT_FOUND")]
    [InlineData(null, "other", "ORG_NAMESPACE_MISMATCH")]
    public async Task A_product_kind_outside_its_organization_is_refused(string? ns, string? organization, string code)
    {
        var own = await core.NewOrgAsync();
        if (organization == "other") organization = (await core.NewOrgAsync())["krate-org-".Length..];
        var document = Stack("stray");
        if (organization is not null) document.Set("spec.organizationRef", organization);
        var refused = await RefusedAsync(() => core.Gateway.CreateAsync(core.Admin, Kind("AgentStack"), ns ?? own, document, new WriteOptions(), Ct));
        Assert.Equal(422, refused.Code);
        Assert.Equal(code, refused.ProductCode);
    }

    [Fact]
    public async Task A_reference_to_another_organization_needs_a_sharing_policy_that_has_not_expired()
    {
        var mine = await core.NewOrgAsync();
        var theirs = (await core.NewOrgAsync())["krate-org-".Length..];
        var document = Stack("borrower");
        document.Set("spec.toolProfileRef", $"shared-tools@{theirs}");
        Task<Resource> Create() => core.Gateway.CreateAsync(core.Admin, Kind("AgentStack"), mine, document, new WriteOptions(), Ct);

        Assert.Equal("CROSS_ORG_REF_DENIED", (await RefusedAsync(Create)).ProductCode);
        var policy = await ShareAsync(theirs, mine["krate-org-".Length..], core.Now.AddHours(-1));
        Assert.Equal("CROSS_ORG_REF_DENIED", (await RefusedAsync(Create)).ProductCode);
        var renewed = policy.Edit();
        renewed.Set("spec.expiresAt", Timestamps.Format(core.Now.AddHours(1)));
        await core.Gateway.UpdateAsync(core.Admin, policy.Kind, policy.Namespace, policy.Name, renewed, new WriteOptions(), Ct);
        Assert.Equal("CROSS_ORG_REF_DENIED", (await RefusedAsync(Create)).ProductCode);

        // The word of the organization that shares is its own: an administrator of everything cannot give it.
        var organization = Kind("Organization");
        var agreed = new Patch(PatchType.Merge, new JsonObject { ["spec"] = new JsonObject { ["shares"] = new JsonArray(new JsonObject { ["targetOrg"] = mine["krate-org-".Length..], ["kind"] = "AgentToolProfile", ["name"] = "shared-tools" }) } }, "test");
        Task<(Resource, bool)> Agree(Actor actor) => core.Gateway.PatchAsync(actor, organization, WellKnown.PlatformNamespace, theirs, agreed, new WriteOptions(), Ct);
        Assert.Equal("POLICY_DENIED", (await RefusedAsync(() => Agree(core.Admin))).ProductCode);
        await Agree(core.Admin with { Groups = [.. core.Admin.Groups, WellKnown.OrgGroup(theirs)] });
        Assert.Equal("borrower", (await Create()).Name);

        var withdrawn = new Patch(PatchType.Merge, new JsonObject { ["spec"] = new JsonObject { ["shares"] = null } }, "test");
        await core.Gateway.PatchAsync(core.Admin, organization, WellKnown.PlatformNamespace, theirs, withdrawn, new WriteOptions(), Ct);
        document.Set("metadata.name", "late");
        Assert.Equal("CROSS_ORG_REF_DENIED", (await RefusedAsync(Create)).ProductCode);
    }

    [Fact]
    public async Task An_organization_is_never_left_without_an_owner()
    {
        var ns = await core.NewOrgAsync();
        var teams = Kind("Team");
        await core.CreateAsync(teams, ns, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "owners" }, ["spec"] = new JsonObject { ["displayName"] = "Owners", ["maintainers"] = new JsonArray("ada") } });
        await core.CreateAsync(teams, ns, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "crew" }, ["spec"] = new JsonObject { ["displayName"] = "Crew", ["members"] = new JsonArray("ada") } });
        Task<(Resource, bool)> Set(string team, params JsonNode[] people) => core.Gateway.PatchAsync(core.Admin, teams, ns, team, new Patch(PatchType.Merge, new JsonObject { ["spec"] = new JsonObject { ["members"] = new JsonArray(people), ["maintainers"] = null } }, "test"), new WriteOptions(), Ct);

        var refused = await RefusedAsync(() => Set("owners"));
        Assert.Equal("spec.maintainers", Assert.Single(refused.Causes).Field);
        Assert.Equal(403, (await RefusedAsync(() => core.Gateway.DeleteAsync(core.Admin, teams, ns, "owners", new DeleteOptions(), Ct))).Code);
        await Set("owners", "ben");
        await Set("crew");
        await core.Gateway.DeleteAsync(core.Admin, teams, ns, "crew", new DeleteOptions(), Ct);
    }

    public static TheoryData<string> ServerMade => [.. KindTable.All.Where(k => k.ServerMade && !k.ReadOnly).Select(k => k.Kind)];

    [Theory]
    [MemberData(nameof(ServerMade))]
    public async Task A_server_made_kind_is_refused_from_every_door_even_to_cluster_admins(string kind)
    {
        var ns = await core.NewOrgAsync();
        var document = new JsonObject { ["metadata"] = new JsonObject { ["name"] = "forged" }, ["spec"] = new JsonObject() };
        var patch = new Patch(PatchType.Merge, new JsonObject { ["status"] = new JsonObject { ["phase"] = "approved" } }, "kubectl");
        var status = new WriteOptions { Subresource = "status" };
        var gateway = core.Gateway;
        foreach (var refused in new[]
        {
            await RefusedAsync(() => gateway.CreateAsync(core.Admin, Kind(kind), ns, document, new WriteOptions(), Ct)),
            await RefusedAsync(() => gateway.UpdateAsync(core.Admin, Kind(kind), ns, "forged", document, new WriteOptions(), Ct)),
            await RefusedAsync(() => gateway.UpdateAsync(core.Admin, Kind(kind), ns, "forged", document, status, Ct)),
            await RefusedAsync(() => gateway.PatchAsync(core.Admin, Kind(kind), ns, "forged", patch, status, Ct)),
            await RefusedAsync(() => gateway.PatchAsync(core.Admin, Kind(kind), ns, "forged", patch with { Type = PatchType.Apply, Document = document }, new WriteOptions(), Ct)),
            await RefusedAsync(() => gateway.DeleteAsync(core.Admin, Kind(kind), ns, "forged", new DeleteOptions(), Ct)),
        })
        {
            Assert.Equal(403, refused.Code);
            Assert.Contains("made by Krate only", refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Generation_grows_with_the_spec_only_and_each_door_changes_only_its_part()
    {
        var ns = await core.NewOrgAsync();
        var kind = Kind("AgentToolProfile");
        var made = await core.CreateAsync(kind, ns, ToolProfile("parts"));
        var labelled = made.Edit();
        labelled.Set("metadata.labels", new JsonObject { ["a"] = "b" });
        labelled["status"] = new JsonObject { ["phase"] = "Ready" };
        var one = await core.Gateway.UpdateAsync(core.Admin, kind, ns, "parts", labelled, new WriteOptions(), Ct);
        Assert.Equal(1, one.Generation);
        Assert.Null(one.Body.Text("status.phase"));

        var status = one.Edit();
        status.Set("status.phase", "Ready");
        status.Set("spec.networkPolicy", new JsonObject { ["default"] = "allow" });
        var two = await core.Gateway.UpdateAsync(core.Admin, kind, ns, "parts", status, new WriteOptions { Subresource = "status" }, Ct);
        Assert.Equal("Ready", two.Body.Text("status.phase"));
        Assert.True(JsonNode.DeepEquals(one.Body["spec"], two.Body["spec"]));

        var spec = two.Edit();
        spec.Set("spec.networkPolicy", new JsonObject { ["default"] = "allow" });
        var three = await core.Gateway.UpdateAsync(core.Admin, kind, ns, "parts", spec, new WriteOptions(), Ct);
        Assert.Equal(2, three.Generation);
        Assert.Equal("Ready", three.Body.Text("status.phase"));
    }

    [Fact]
    public async Task A_stale_update_is_a_conflict_and_an_update_without_version_replaces_what_is_there()
    {
        var ns = await core.NewOrgAsync();
        var kind = Kind("AgentToolProfile");
        var made = await core.CreateAsync(kind, ns, ToolProfile("raced"));
        var first = made.Edit();
        first.Set("spec.auditLevel", "inputs");
        await core.Gateway.UpdateAsync(core.Admin, kind, ns, "raced", first, new WriteOptions(), Ct);
        var second = made.Edit();
        second.Set("spec.auditLevel", "outputs");
        Assert.Equal((409, "Conflict"), Brief(await RefusedAsync(() => core.Gateway.UpdateAsync(core.Admin, kind, ns, "raced", second, new WriteOptions(), Ct))));
        second.Child("metadata").Remove("resourceVersion");
        Assert.Equal("outputs", (await core.Gateway.UpdateAsync(core.Admin, kind, ns, "raced", second, new WriteOptions(), Ct)).Body.Text("spec.auditLevel"));
    }

    [Fact]
    public async Task An_update_that_changes_nothing_and_a_dry_run_write_nothing()
    {
        var ns = await core.NewOrgAsync();
        var kind = Kind("AgentToolProfile");
        var made = await core.CreateAsync(kind, ns, ToolProfile("calm"));
        var version = core.Store.Feed.Latest;
        await core.Gateway.UpdateAsync(core.Admin, kind, ns, "calm", made.Edit(), new WriteOptions(), Ct);
        await core.Gateway.CreateAsync(core.Admin, kind, ns, ToolProfile("imagined"), new WriteOptions { DryRun = true }, Ct);
        await core.Gateway.DeleteAsync(core.Admin, kind, ns, "calm", new DeleteOptions { DryRun = true }, Ct);
        Assert.Equal(version, core.Store.Feed.Latest);
        Assert.Equal(made.Version, (await core.Gateway.GetAsync(core.Admin, kind, ns, "calm", Ct)).Version);
    }

    [Fact]
    public async Task A_finalizer_holds_a_deleted_resource_until_it_is_removed()
    {
        var ns = await core.NewOrgAsync();
        var kind = Kind("AgentToolProfile");
        var document = ToolProfile("held");
        document.Set("metadata.finalizers", new JsonArray("example.com/hold"));
        await core.CreateAsync(kind, ns, document);
        var marked = await core.Gateway.DeleteAsync(core.Admin, kind, ns, "held", new DeleteOptions(), Ct);
        Assert.False(marked.Gone);
        Assert.True(marked.Resource.IsDeleting);
        var released = marked.Resource.Edit();
        released.Child("metadata").Remove("finalizers");
        await core.Gateway.UpdateAsync(core.Admin, kind, ns, "held", released, new WriteOptions(), Ct);
        Assert.Equal(404, (await RefusedAsync(() => core.Gateway.GetAsync(core.Admin, kind, ns, "held", Ct))).Code);
    }

    [Fact]
    public async Task Issues_and_pull_requests_of_a_repository_share_one_number_sequence_under_a_race()
    {
        var ns = await core.NewOrgAsync();
        await core.CreateAsync(Kind("Repository"), ns, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "web" }, ["spec"] = new JsonObject { ["visibility"] = "private" } });
        JsonObject Issue(int i) => new() { ["metadata"] = new JsonObject(), ["spec"] = new JsonObject { ["repository"] = "web", ["title"] = $"issue {i}" } };
        var made = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => core.CreateAsync(Kind("Issue"), ns, Issue(i))));
        Assert.Equal(Enumerable.Range(1, 20), made.Select(r => int.Parse(r.Body.At("spec.number")!.ToString(), System.Globalization.CultureInfo.InvariantCulture)).Order());
        Assert.All(made, r => Assert.Equal($"web-{r.Body.At("spec.number")}", r.Name));
    }

    [Fact]
    public async Task Every_write_and_every_denial_leaves_one_audit_row_with_its_kubectl_line()
    {
        var ns = await core.NewOrgAsync();
        var kind = Kind("AgentToolProfile");
        await core.CreateAsync(kind, ns, ToolProfile("audited"));
        var stranger = new Actor("stranger", [WellKnown.AuthenticatedGroup]);
        for (var i = 0; i < 3; i++)
            await RefusedAsync(() => core.Gateway.DeleteAsync(stranger, kind, ns, "audited", new DeleteOptions(), Ct));
        var rows = (await core.Gateway.ListAsync(core.Admin, Kind("AuditEvent"), ns, new ListOptions(), Ct)).Items;
        var created = Assert.Single(rows, r => r.Body.Text("spec.type") == "resource.created" && r.Body.Text("spec.target.name") == "audited");
        Assert.Equal($"kubectl -n {ns} create -f -", created.Body.Text("spec.metadata.kubectl"));
        var denied = Assert.Single(rows, r => r.Body.Text("spec.decision") == "Denied" && r.Body.Text("spec.actor.name") == "stranger");
        Assert.Contains("cannot delete resource", denied.Body.Text("spec.reason"), StringComparison.Ordinal);
        Assert.Null(await core.Store.Audit.VerifyAsync(Ct));
    }

    private static (int, string) Brief(ApiException e) => (e.Code, e.Reason);

    private static Task<ApiException> RefusedAsync<T>(Func<Task<T>> call) => Assert.ThrowsAsync<ApiException>(call);

    private static JsonObject Stack(string name) => new()
    {
        ["metadata"] = new JsonObject { ["name"] = name },
        ["spec"] = new JsonObject
        {
            ["baseAgent"] = "claude-code",
            ["adapter"] = "agent-mux.claude-code",
            ["runtimeIdentity"] = new JsonObject { ["serviceAccountRef"] = "agent" },
        },
    };

    private static JsonObject ToolProfile(string name) => new()
    {
        ["metadata"] = new JsonObject { ["name"] = name },
        ["spec"] = new JsonObject { ["filesystemPolicy"] = "read-only", ["approvalPolicyByTool"] = new JsonObject { ["shell"] = "prompt" } },
    };

    private Task<Resource> ShareAsync(string source, string target, DateTimeOffset expires) => core.CreateAsync(Kind("OrgSharingPolicy"), WellKnown.PlatformNamespace, new JsonObject
    {
        ["metadata"] = new JsonObject { ["name"] = $"{source}-to-{target}" },
        ["spec"] = new JsonObject
        {
            ["sourceOrg"] = source,
            ["targetOrg"] = target,
            ["allowedRefs"] = new JsonArray(new JsonObject { ["kind"] = "AgentToolProfile", ["name"] = "shared-tools", ["permissions"] = new JsonArray("use") }),
            ["expiresAt"] = Timestamps.Format(expires),
        },
    });
}
