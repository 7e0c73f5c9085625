using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Gateway;

/// <summary>A Secret's value works after every kind of write and is in nothing that can be read.</summary>
public sealed class SecretTests(KrateCore core) : IClassFixture<KrateCore>
{
    private const string Canary = "c4n4ry-Value_9f27Kx!";
    private static readonly KindDefinition Secret = KindTable.Catalog["Secret"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static TheoryData<string> Writes =>
    [
        "apply the same again", "server-side apply twice", "label", "replace what get returned", "merge patch another key", "strategic patch another key", "json patch a label",
    ];

    [Theory]
    [MemberData(nameof(Writes))]
    public async Task A_value_survives_a_write_that_does_not_name_it(string write)
    {
        var ns = await core.NewOrgAsync();
        await CreateAsync(ns);
        await WriteAsync(ns, write);
        Assert.Equal(Canary, await RevealAsync(ns, "token"));
    }

    [Fact]
    public async Task A_repeated_apply_of_the_same_value_writes_nothing()
    {
        var ns = await core.NewOrgAsync();
        var made = await CreateAsync(ns);
        var again = await PatchAsync(ns, PatchType.Strategic, new JsonObject { ["data"] = new JsonObject { ["token"] = Base64(Canary) } });
        Assert.Equal(made.Version, again.Version);
    }

    [Fact]
    public async Task Null_in_a_merge_patch_removes_a_key_and_server_side_apply_removes_what_its_manager_dropped()
    {
        var ns = await core.NewOrgAsync();
        await CreateAsync(ns);
        await PatchAsync(ns, PatchType.Merge, new JsonObject { ["data"] = new JsonObject { ["token"] = null, ["second"] = Base64("other-value") } });
        Assert.Null(await RevealAsync(ns, "token"));
        Assert.Equal("other-value", await RevealAsync(ns, "second"));

        await PatchAsync(ns, PatchType.Apply, Applied(("third", "3"), ("fourth", "4")));
        var after = await PatchAsync(ns, PatchType.Apply, Applied(("third", "3")));
        Assert.Null(await RevealAsync(ns, "fourth"));
        Assert.Equal("3", await RevealAsync(ns, "third"));
        Assert.Equal("other-value", await RevealAsync(ns, "second"));
        Assert.Equal(["second", "third"], KrateJson.ParseObject(after.Annotation(WellKnown.SecretKeysAnnotation)!).Select(k => k.Key));
    }

    [Fact]
    public async Task A_changed_value_is_the_new_one_and_its_version_counts_up()
    {
        var ns = await core.NewOrgAsync();
        await CreateAsync(ns);
        var after = await PatchAsync(ns, PatchType.Merge, new JsonObject { ["stringData"] = new JsonObject { ["token"] = "rotated" } });
        Assert.Equal("rotated", await RevealAsync(ns, "token"));
        var facts = KrateJson.ParseObject(after.Annotation(WellKnown.SecretKeysAnnotation)!)["token"];
        Assert.Equal((7, 2), (facts.Whole("size"), facts.Whole("version")));
        Assert.InRange(DateTimeOffset.Parse(facts.Text("changed")!, System.Globalization.CultureInfo.InvariantCulture), after.CreatedAt!.Value, core.Now);
    }

    [Fact]
    public async Task A_deleted_and_made_again_secret_inherits_nothing()
    {
        var ns = await core.NewOrgAsync();
        await CreateAsync(ns);
        await core.Gateway.DeleteAsync(core.Admin, Secret, ns, "canary", new DeleteOptions(), Ct);
        await core.CreateAsync(Secret, ns, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "canary" } });
        Assert.Null(await RevealAsync(ns, "token"));
    }

    [Fact]
    public async Task No_byte_form_of_a_value_is_in_any_answer_or_file()
    {
        var ns = await core.NewOrgAsync();
        var seen = new List<string>();
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        await using var watch = core.Gateway.WatchAsync(core.Admin, Secret, ns, new WatchOptions(), watching.Token).GetAsyncEnumerator(watching.Token);
        var first = watch.MoveNextAsync();
        seen.Add((await CreateAsync(ns)).Body.ToJsonString());
        foreach (var row in Writes) seen.Add((await WriteAsync(ns, row.Data)).Body.ToJsonString());
        seen.Add((await core.Gateway.CreateAsync(core.Admin, Secret, ns, Document("dry"), new WriteOptions { DryRun = true }, Ct)).Body.ToJsonString());
        seen.Add((await core.Gateway.GetAsync(core.Admin, Secret, ns, "canary", Ct)).Body.ToJsonString());
        seen.AddRange((await core.Gateway.ListAsync(core.Admin, Secret, ns, new ListOptions(), Ct)).Items.Select(i => i.Body.ToJsonString()));
        seen.AddRange((await core.Gateway.ListAsync(core.Admin, KindTable.Catalog["AuditEvent"], ns, new ListOptions(), Ct)).Items.Select(i => i.Body.ToJsonString()));
        Assert.True(await first);
        seen.Add(watch.Current.Resource!.Body.ToJsonString());
        await watching.CancelAsync();

        foreach (var form in Forms())
        {
            Assert.DoesNotContain(seen, s => s.Contains(form, StringComparison.Ordinal));
            Assert.DoesNotContain(core.FilesContaining(Encoding.UTF8.GetBytes(form)), _ => true);
        }
    }

    [Fact]
    public async Task A_document_that_carries_a_known_value_is_refused_by_field_and_the_refusals_are_limited()
    {
        var ns = await core.NewOrgAsync();
        await CreateAsync(ns);
        var clumsy = new Actor("clumsy", [WellKnown.MastersGroup, WellKnown.AuthenticatedGroup]);
        Task<Resource> Leak(string value) => core.Gateway.CreateAsync(clumsy, KindTable.Catalog["ConfigMap"], ns, new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "leak" },
            ["data"] = new JsonObject { ["settings"] = $"url=https://x/?token={value}" },
        }, new WriteOptions(), Ct);
        foreach (var form in new[] { Canary, Base64(Canary) })
        {
            var refused = await Assert.ThrowsAsync<ApiException>(() => Leak(form));
            Assert.Equal("SECRET_VALUE_REJECTED", refused.ProductCode);
            Assert.Equal("data.settings", refused.Causes[0].Field);
            Assert.DoesNotContain(Canary, refused.Message, StringComparison.Ordinal);
        }

        for (var i = 0; i < 8; i++) await Assert.ThrowsAsync<ApiException>(() => Leak(Canary));
        Assert.Equal(429, (await Assert.ThrowsAsync<ApiException>(() => Leak(Canary))).Code);
        Assert.Equal("leak", (await Leak("short")).Name);
    }

    [Theory]
    [InlineData("data", "token", "not base64!", "data.token")]
    [InlineData("data", "a/b", "eA==", "data")]
    public async Task A_bad_value_or_key_is_refused_by_name(string field, string key, string value, string where)
    {
        var ns = await core.NewOrgAsync();
        var refused = await Assert.ThrowsAsync<ApiException>(() => core.CreateAsync(Secret, ns, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "bad" }, [field] = new JsonObject { [key] = value } }));
        Assert.Equal(422, refused.Code);
        Assert.Equal(where, refused.Causes[0].Field);
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static IEnumerable<string> Forms()
    {
        var bytes = Encoding.UTF8.GetBytes(Canary);
        return [Canary, Base64(Canary), Convert.ToHexString(bytes), Convert.ToHexStringLower(bytes), Uri.EscapeDataString(Canary), new string([.. Canary.Reverse()]), Base64("x" + Canary)[4..^4], Base64("xx" + Canary)[4..^4]];
    }

    private static JsonObject Document(string name) => new()
    {
        ["metadata"] = new JsonObject
        {
            ["name"] = name,
            ["annotations"] = new JsonObject { [WellKnown.LastAppliedAnnotation] = new JsonObject { ["data"] = new JsonObject { ["token"] = Base64(Canary) } }.ToJsonString() },
        },
        ["stringData"] = new JsonObject { ["token"] = Canary },
    };

    private static JsonObject Applied(params (string Key, string Value)[] data) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Secret",
        ["metadata"] = new JsonObject { ["name"] = "canary" },
        ["data"] = new JsonObject([.. data.Select(d => KeyValuePair.Create(d.Key, (JsonNode?)Base64(d.Value)))]),
    };

    private Task<Resource> CreateAsync(string ns) => core.CreateAsync(Secret, ns, Document("canary"));

    private async Task<Resource> WriteAsync(string ns, string write)
    {
        switch (write)
        {
            case "apply the same again":
                return await PatchAsync(ns, PatchType.Strategic, new JsonObject { ["data"] = new JsonObject { ["token"] = Base64(Canary) }, ["metadata"] = Document("canary")["metadata"]!.DeepClone() });
            case "server-side apply twice":
                await PatchAsync(ns, PatchType.Apply, Applied(("token", Canary)));
                return await PatchAsync(ns, PatchType.Apply, Applied(("token", Canary)));
            case "label":
                return await PatchAsync(ns, PatchType.Merge, new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["a"] = "b" } } });
            case "replace what get returned":
                var got = await core.Gateway.GetAsync(core.Admin, Secret, ns, "canary", Ct);
                var edited = got.Edit();
                edited.Set("metadata.labels", new JsonObject { ["replaced"] = "yes" });
                return await core.Gateway.UpdateAsync(core.Admin, Secret, ns, "canary", edited, new WriteOptions(), Ct);
            case "merge patch another key":
                return await PatchAsync(ns, PatchType.Merge, new JsonObject { ["data"] = new JsonObject { ["other"] = "eA==" } });
            case "strategic patch another key":
                return await PatchAsync(ns, PatchType.Strategic, new JsonObject { ["data"] = new JsonObject { ["another"] = "eA==" } });
            default:
                return await PatchAsync(ns, PatchType.Json, new JsonArray(new JsonObject { ["op"] = "add", ["path"] = "/metadata/labels", ["value"] = new JsonObject { ["j"] = "p" } }));
        }
    }

    private async Task<Resource> PatchAsync(string ns, PatchType type, JsonNode document) =>
        (await core.Gateway.PatchAsync(core.Admin, Secret, ns, "canary", new Patch(type, document, "test", Force: true), new WriteOptions { FieldManager = "test" }, Ct)).Resource;

    private async Task<string?> RevealAsync(string ns, string key) =>
        await core.Vault.ReadAsync(SecretReader.WebhookSigner, ns, "canary", key, Ct) is { } value ? Encoding.UTF8.GetString(value) : null;
}
