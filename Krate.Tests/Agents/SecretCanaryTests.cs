using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Kinds.Review;
using Krate.Core.Resources;
using Krate.Tests.ControlPlane;
using Xunit;

namespace Krate.Tests.Agents;

/// <summary>A Secret's value goes to programs that repeat it wherever they can, and is nowhere that anybody can read.</summary>
[Collection(typeof(AgentCollection))]
public sealed class SecretCanaryTests(AgentWorld agents)
{
    private const string Canary = "c4n4ry/9f27Kx+of=the proofs";
    private static readonly string[] Encodings = ["plain", "base64", "hex", "reversed"];

    private static CancellationToken Ct => ControlPlaneWorld.Ct;

    [Fact]
    public async Task A_value_is_in_no_database_file_log_answer_event_or_condition_in_any_form_whatever_a_server_does_with_it()
    {
        var servers = await MakeAsync();
        foreach (var server in servers)
        {
            var ready = await agents.World.UntilAsync("AgentMcpServer", AgentWorld.Namespace, server.Name, s => s!.FindCondition(Condition.Ready) is { Reason: not "MissingSecretGrant" });
            // What was cut before the value ended is fit to be kept, with stars; all else is not, or is a failure.
            Assert.Equal((server.Name, server.Name == "canary-describes-long" ? "True" : "False"), (server.Name, ready.FindCondition(Condition.Ready)!.Status));
        }

        List<string> said = [await RefusedAsync()];
        var stack = (await agents.World.FindAsync("AgentStack", AgentWorld.Namespace, "canary"))!;
        var (review, used) = await agents.World.Service<PermissionReviews>().ReviewAsync(ControlPlaneWorld.Admin, stack, new() { AgentStack = stack.Name }, Ct);
        said.Add(review.ToJson(used).ToJsonString());
        said.AddRange(agents.World.LogLines);
        foreach (var kind in KindTable.Catalog.All) said.AddRange(await AllOfAsync(kind));
        Assert.Contains(said, s => s.Contains("cannot log in with ****", StringComparison.Ordinal));

        foreach (var (name, form) in Forms())
        {
            var found = said.Find(s => s.Contains(form, StringComparison.Ordinal));
            Assert.True(found is null, $"{name}: {found}");
            var files = FilesWith(form);
            Assert.True(files.Count == 0, $"{name}: {string.Join(", ", files)}");
        }
    }

    private async Task<List<Resource>> MakeAsync()
    {
        await agents.World.CreateAsync($"{{apiVersion: v1, kind: Secret, metadata: {{name: canary}}, stringData: {{key: '{Canary}'}}}}", AgentWorld.Namespace);
        var all = new[] { "leaks", "describes", "fails" }.SelectMany(b => Encodings.Append(b == "describes" ? "long" : "cut").Select(e => (Behaviour: b, Encoding: e))).ToList();
        var servers = await Task.WhenAll(all.Select(s => ServerAsync(s.Behaviour, s.Encoding)));
        await agents.CreateAsync("AgentStack", "canary", new()
        {
            ["baseAgent"] = "claude-code", ["adapter"] = "good", ["runtimeIdentity"] = new JsonObject { ["serviceAccountRef"] = "canary" }, ["mcpServerRefs"] = new JsonArray([.. servers.Select(s => (JsonNode)s.Name)]),
        });
        return [.. servers];
    }

    private async Task<Resource> ServerAsync(string behaviour, string encoding)
    {
        var name = $"canary-{behaviour}-{encoding}";
        await agents.CreateAsync("AgentSecretGrant", name, new()
        {
            ["subject"] = new JsonObject { ["kind"] = "mcp-server", ["name"] = name }, ["secretRef"] = new JsonObject { ["name"] = "canary", ["keys"] = new JsonArray("key") }, ["purpose"] = "mcp-server", ["mountPolicy"] = "env",
        });
        return await agents.CreateAsync("AgentMcpServer", name, new()
        {
            ["transport"] = "stdio", ["scope"] = "org", ["command"] = agents.McpServer, ["args"] = new JsonArray(behaviour, encoding),
            ["envFrom"] = new JsonArray(new JsonObject { ["name"] = "KEY", ["secretRef"] = new JsonObject { ["name"] = "canary", ["key"] = "key" } }),
        });
    }

    /// <summary>What people are told who write the value into a skill, a label, a subagent, a grant or a stack.</summary>
    private async Task<string> RefusedAsync()
    {
        var told = new StringBuilder();
        foreach (var (kind, spec) in new (string, JsonObject)[]
        {
            ("AgentSkill", new() { ["format"] = "inline", ["sourceRef"] = new JsonObject(), ["promptFragment"] = $"Log in with {Canary}" }),
            ("AgentContextLabel", new() { ["promptFragment"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(Canary)), ["allowedSources"] = new JsonArray("issue") }),
            ("AgentSubagent", new() { ["rolePrompt"] = new string([.. Canary.Reverse()]), ["taskKinds"] = new JsonArray("validation") }),
            ("AgentSecretGrant", new() { ["subject"] = new JsonObject { ["kind"] = "user", ["name"] = Canary }, ["secretRef"] = new JsonObject { ["name"] = "canary" }, ["purpose"] = "tool" }),
            ("AgentStack", new() { ["baseAgent"] = Convert.ToHexString(Encoding.UTF8.GetBytes(Canary)), ["adapter"] = "good", ["runtimeIdentity"] = new JsonObject { ["serviceAccountRef"] = "canary" } }),
        })
        {
            var refused = await Assert.ThrowsAsync<ApiException>(() => agents.CreateAsync(kind, "canary-refused", spec));
            Assert.True(refused.Code == 422, $"{kind}: {refused.Message}");
            told.Append(refused);
        }

        return told.ToString();
    }

    private async Task<IEnumerable<string>> AllOfAsync(KindDefinition kind)
    {
        var said = new List<string>();
        foreach (var ns in kind.IsNamespaced ? new[] { AgentWorld.Namespace, WellKnown.PlatformNamespace } : [""])
        {
            try
            {
                said.AddRange((await agents.World.Gateway.ListAsync(ControlPlaneWorld.Admin, kind, ns, new ListOptions(), Ct)).Items.Select(r => KrateJson.ToText(r.Body)));
            }
            catch (ApiException e) when (e.Code is 404 or 405 or 422)
            {
                // Nobody can list these.
            }
        }

        return said;
    }

    private static IEnumerable<(string Name, string Form)> Forms()
    {
        var raw = Encoding.UTF8.GetBytes(Canary);
        yield return ("plain", Canary);
        yield return ("its first half", Canary[..13]);
        yield return ("its second half", Canary[13..]);
        yield return ("reversed", new([.. Canary.Reverse()]));
        yield return ("hex", Convert.ToHexStringLower(raw));
        yield return ("HEX", Convert.ToHexString(raw));
        yield return ("URL", Uri.EscapeDataString(Canary));
        yield return ("JSON", JavaScriptEncoder.Default.Encode(Canary));
        for (var shift = 0; shift < 3; shift++)
        {
            // Without the characters that share bits with what is beside the value.
            var text = Convert.ToBase64String([.. new byte[shift], .. raw, 0, 0, 0])[((shift * 8 + 5) / 6)..((shift + raw.Length) * 8 / 6)];
            yield return ($"base64 {shift}", text);
            yield return ($"base64url {shift}", text.Replace('+', '-').Replace('/', '_'));
        }
    }

    private List<string> FilesWith(string form)
    {
        var bytes = Encoding.UTF8.GetBytes(form);
        return [.. Directory.EnumerateFiles(Path.GetDirectoryName(agents.World.Data.Database)!, "*", SearchOption.AllDirectories).Where(f => !f.EndsWith("krate.lock", StringComparison.Ordinal) && !f.EndsWith(".sock", StringComparison.Ordinal) && Read(f).AsSpan().IndexOf(bytes) >= 0)];
    }

    private static byte[] Read(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var copy = new MemoryStream();
        file.CopyTo(copy);
        return copy.ToArray();
    }
}
