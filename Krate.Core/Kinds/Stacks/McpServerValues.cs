using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Stacks;

/// <summary>What an MCP server is given beside its address: values, or why it may not be asked.</summary>
internal sealed record McpValues(IReadOnlyDictionary<string, string> Values, string? MissingReason = null, string? Missing = null)
{
    /// <summary>Puts stars over those that are values of Secrets.</summary>
    public Func<string, string> Mask { get; init; } = static said => said;
}

/// <summary>
/// Values of Secrets and ConfigMaps that a probe of an MCP server may use: those that a grant gives to the server itself, for whichever runs. It then gets when it
/// is asked for its tools what it gets when it is used. Where each use needs an approval there is nobody to give one.
/// </summary>
internal sealed class McpServerValues(KindCatalog catalog, IResourceCache cache, SecretVault vault)
{
    private static readonly Dictionary<string, string> None = [];

    /// <summary>Kinds whose changes may change the answer.</summary>
    public IReadOnlyList<KindDefinition> Kinds { get; } = [catalog["AgentSecretGrant"], catalog["AgentConfigGrant"], catalog["Secret"], catalog["ConfigMap"]];

    /// <summary>All that the values depend on, from memory: equal for as long as they are.</summary>
    public string StampOf(Resource server, DateTimeOffset now)
    {
        var named = FieldPath.Find(server.Body, "spec.envFrom[]").Concat(FieldPath.Find(server.Body, "spec.headersFrom[]"))
            .Select(v => v.Value.At("secretRef") is { } secret ? cache.Get(catalog["Secret"], server.Namespace, secret.Text("name") ?? "") : cache.Get(catalog["ConfigMap"], server.Namespace, v.Value.Text("configMapRef.name") ?? ""));
        return string.Join(' ', named.Select(r => r is null ? "-" : $"{r.Uid}@{r.Version}").Append(WhatIsMissing(server, now)?.Missing));
    }

    /// <summary>The values, or why the server may not be asked.</summary>
    public async Task<McpValues> FindAsync(Resource server, DateTimeOffset now, CancellationToken ct) => WhatIsMissing(server, now) ?? await ReadAsync(server, ct);

    private McpValues? WhatIsMissing(Resource server, DateTimeOffset now)
    {
        foreach (var (field, source) in new[] { "spec.secretRefs[]", "spec.envFrom[].secretRef", "spec.headersFrom[].secretRef" }.SelectMany(p => FieldPath.Find(server.Body, p)))
        {
            if (!IsGranted("AgentSecretGrant", "secretRef", server, source, now))
                return new(None, "MissingSecretGrant", $"It is not probed: {field} names the key {source.Text("key")} of Secret {source.Text("name")}, and no AgentSecretGrant that is ready gives it to mcp-server {server.Name}.");
        }

        foreach (var (field, source) in new[] { "spec.configMapRefs[]", "spec.envFrom[].configMapRef", "spec.headersFrom[].configMapRef" }.SelectMany(p => FieldPath.Find(server.Body, p)))
        {
            if (!IsGranted("AgentConfigGrant", "configMapRef", server, source, now))
                return new(None, "MissingConfigGrant", $"It is not probed: {field} names the key {source.Text("key")} of ConfigMap {source.Text("name")}, and no AgentConfigGrant that is ready gives it to mcp-server {server.Name}.");
        }

        return null;
    }

    private async Task<McpValues> ReadAsync(Resource server, CancellationToken ct)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        var secret = new List<string>();
        foreach (var (field, named) in FieldPath.Find(server.Body, server.Body.Text("spec.transport") == "stdio" ? "spec.envFrom[]" : "spec.headersFrom[]"))
        {
            var source = named.At("secretRef") ?? named.At("configMapRef")!;
            var (name, key) = (source.Text("name") ?? "", source.Text("key") ?? named.Text("name") ?? "");
            var value = named.At("secretRef") is null
                ? cache.Get(catalog["ConfigMap"], server.Namespace, name)?.Body["data"]?[key]?.Text()
                : await vault.ReadAsync(SecretReader.McpProbe, server.Namespace, name, key, ct) is { } bytes ? Encoding.UTF8.GetString(bytes) : null;
            if (value is null) return new(None, named.At("secretRef") is null ? "ConfigMapKeyMissing" : "SecretKeyMissing", $"It is not probed: {field} names the key {key} of {name}, which is not there.");
            values[named.Text("name")!] = value;
            if (named.At("secretRef") is not null) secret.Add(value.Trim());
        }

        return new(values) { Mask = new KnownSecrets(secret).Mask };
    }

    private bool IsGranted(string kind, string reference, Resource server, JsonNode source, DateTimeOffset now)
    {
        var about = cache.ListBy(catalog[kind], server.Namespace, "spec.subject.name", server.Name)
            .Where(g => g.Body.Text("spec.subject.kind") == "mcp-server" && g.Body.Text($"spec.{reference}.name") == source.Text("name") && Covers(g, reference, source.Text("key")))
            .ToList();
        return about.Any(g => HoldsForProbes(g, server.Body.Text("spec.transport") == "stdio", now)) && !about.Any(g => g.Body.Text("spec.effect") == "Deny");
    }

    private static bool Covers(Resource grant, string reference, string? key) =>
        grant.Body.Texts($"spec.{reference}.keys").ToList() is var keys && (keys.Count == 0 || (key is not null && keys.Contains(key, StringComparer.Ordinal)));

    private static bool HoldsForProbes(Resource grant, bool isProcess, DateTimeOffset now) =>
        grant.FindCondition(Condition.Ready)?.Status == Condition.True
        && grant.Body.Text("spec.effect") != "Deny"
        && grant.Body.Text("spec.requiredApproval") is not "always"
        // What is only passed by reference reaches no process; Krate sends headers itself.
        && !(isProcess && grant.Body.Text("spec.mountPolicy") == "never-mount-pass-by-reference")
        && !(DateTimeOffset.TryParse(grant.Body.Text("spec.expiresAt"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var end) && end <= now);
}
