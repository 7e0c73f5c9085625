using System.Text.Json.Nodes;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Tests.Kinds;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Api;

/// <summary>What holds for every kind of the table, through the front door.</summary>
[Collection<ApiCollection>]
public sealed class EveryKindTests(ApiServer api)
{
    public static TheoryData<string> Written => [.. KindTable.All.Where(k => !k.ServerMade && !k.ReadOnly && !k.CreateOnly).Select(k => k.Kind)];

    public static TheoryData<string> ServerMade => [.. KindTable.All.Where(k => k.ServerMade).Select(k => k.Kind)];

    [Theory, MemberData(nameof(Written))]
    public async Task Unknown_wrong_and_missing_fields_are_refused_by_their_path(string name)
    {
        var kind = KindTable.Catalog[name];
        var unknown = Sample(kind);
        var at = kind.NativeType is not null || kind.PreserveUnknownSpec ? "surprise" : "spec.surprise";
        unknown.Set(at, "x");
        var refused = await api.SendAsync("POST", Collection(kind) + "?fieldValidation=Strict&dryRun=All", unknown.ToJsonString());
        Assert.True(refused.Code == 400, refused.ToString());
        Assert.Contains($"unknown field \"{at}\"", refused.Field("message"), StringComparison.Ordinal);

        foreach (var field in kind.RequiredSpec.Where(f => f != "organizationRef"))
        {
            var missing = Sample(kind);
            ((JsonObject)missing["spec"]!).Remove(field);
            await RefusedAsync(kind, missing, $"spec.{field}");
            var wrong = Sample(kind);
            wrong["spec"]![field] = kind.Fields.At($"spec.{field}")!.Type == SchemaType.Object ? 7 : new JsonObject { ["no"] = new JsonArray() };
            await RefusedAsync(kind, wrong, $"spec.{field}");
        }
    }

    [Theory, MemberData(nameof(Written))]
    public async Task Required_fields_hold_for_updates_too(string name)
    {
        var kind = KindTable.Catalog[name];
        if (kind.RequiredSpec.Count == 0) return;
        var sample = Sample(kind);
        var made = await api.SendAsync("POST", Collection(kind), sample.ToJsonString());
        // Execution requests need what they refer to; their updates meet the same validation.
        if (made.Code != 201) return;
        var path = $"{Collection(kind)}/{made.Field("metadata.name")}";
        foreach (var field in kind.RequiredSpec)
        {
            var less = made.Json;
            ((JsonObject)less["spec"]!).Remove(field);
            less.Child("metadata").Remove("resourceVersion");
            var put = await api.SendAsync("PUT", path, less.ToJsonString());
            if (put.Code == 200 && put.Json.At($"spec.{field}") is not null) continue; // filled in again by a default
            Assert.True(put.Code == 422, $"{field}: {put}");
            var patch = await api.SendAsync("PATCH", path, new JsonObject { ["spec"] = new JsonObject { [field] = null } }.ToJsonString(), "application/merge-patch+json");
            Assert.True(patch.Code == 422 && patch.Field("message")!.Contains($"spec.{field}", StringComparison.Ordinal), $"{field}: {patch}");
        }

        await api.SendAsync("DELETE", path, (string?)null);
        // What goes with it (a repository's work) must not take along what the next case makes.
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        for (var tries = 0; (await api.SendAsync("GET", path, (string?)null)).Code != 404; tries++)
        {
            Assert.True(tries < 2000, $"{path} does not go");
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }

    [Theory, MemberData(nameof(ServerMade))]
    public async Task What_only_krate_makes_is_refused_at_every_door(string name)
    {
        var kind = KindTable.Catalog[name];
        var (all, one, body) = (Collection(kind), Collection(kind) + "/sample", Sample(kind).ToJsonString());
        var answers = new[]
        {
            await api.SendAsync("POST", all, body),
            await api.SendAsync("PUT", one, body),
            await api.SendAsync("PUT", one + "/status", body),
            await api.SendAsync("PATCH", one, "{}", "application/merge-patch+json"),
            await api.SendAsync("PATCH", one, "[]", "application/json-patch+json"),
            await api.SendAsync("PATCH", one, "{}", "application/strategic-merge-patch+json"),
            await api.SendAsync("PATCH", one + "?fieldManager=x&force=true", body, "application/apply-patch+yaml"),
            await api.SendAsync("PATCH", one + "/status?fieldManager=x&force=true", body, "application/apply-patch+yaml"),
            await api.SendAsync("POST", "/api/orgs/acme/resources", body),
            await api.SendAsync("POST", "/api/controller/resources?org=acme", body),
        };
        Assert.All(answers, a => Assert.True(a.Code is 403 or 405, a.ToString()));
        Assert.Empty((JsonArray)(await api.GetAsync(all + "?fieldSelector=metadata.name%3Dsample")).Json["items"]!);
    }

    [Fact]
    public async Task Kubectl_explains_every_field_of_every_kind()
    {
        using var kubectl = Kubectl.Of("1.32", api.Server.Kubeconfig);
        await kubectl.RunAsync("api-resources");
        var gaps = new System.Collections.Concurrent.ConcurrentBag<string>();
        await Parallel.ForEachAsync(KindTable.All, new ParallelOptions { MaxDegreeOfParallelism = 3, CancellationToken = TestContext.Current.CancellationToken }, async (kind, _) =>
        {
            var told = await kubectl.RunAsync($"explain {kind.Plural} --api-version={kind.ApiVersion} --recursive");
            foreach (var (path, _) in Samples.Leaves(kind))
            {
                var field = path.Split('.')[^1].Replace("[0]", "", StringComparison.Ordinal);
                if (field != "key" && !told.Contains($" {field}\t", StringComparison.Ordinal)) gaps.Add($"{kind.Kind}: {path}");
            }
        });
        Assert.Empty(gaps);
    }

    private static string Collection(KindDefinition kind)
    {
        var root = kind.Group.Length == 0 ? "/api/v1" : $"/apis/{kind.Group}/{kind.Version}";
        return kind.Scope switch
        {
            KindScope.Cluster => $"{root}/{kind.Plural}",
            KindScope.Platform => $"{root}/namespaces/krate-system/{kind.Plural}",
            _ => $"{root}/namespaces/{ApiServer.Namespace}/{kind.Plural}",
        };
    }

    private static JsonObject Sample(KindDefinition kind)
    {
        var sample = Samples.Of(kind);
        if (kind.Scope == KindScope.Platform) sample.Set("metadata.namespace", WellKnown.PlatformNamespace);
        if (kind.Scope == KindScope.Org && sample.At("spec.organizationRef") is not null) sample.Set("spec.organizationRef", "acme");
        return sample;
    }

    private async Task RefusedAsync(KindDefinition kind, JsonObject document, string path)
    {
        var answer = await api.SendAsync("POST", Collection(kind) + "?dryRun=All", document.ToJsonString());
        if (answer.Code == 201 && document.At(path) is null && answer.Json.At(path) is not null) return; // filled in by a default
        Assert.True(answer.Code == 422, $"{path}: {answer}");
        Assert.Contains(path, answer.Field("message"), StringComparison.Ordinal);
    }
}
