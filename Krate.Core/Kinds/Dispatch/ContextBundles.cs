using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Context;
using Krate.Core.Gateway;
using Krate.Core.Kinds.Review;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Dispatch;

/// <summary>Makes the context of a run: the same for a preview and for what is sent. Thread-safe.</summary>
public sealed class ContextBundles(KindCatalog catalog, IResourceGateway gateway, ContextReader reader, PermissionReviews reviews, SecretVault secrets)
{
    /// <summary>What the agent would be given now, and where it would work; nothing is stored.</summary>
    /// <exception cref="ApiException">404 or 403 for what is not there or hidden, 422 that names the field.</exception>
    public async Task<(ContextBundle Bundle, ContextDraft Draft)> MakeAsync(Actor actor, string org, string ns, ContextRequest request, CancellationToken ct)
    {
        var stack = await gateway.GetAsync(actor, catalog["AgentStack"], ns, request.AgentStack, ct);
        var draft = await reader.ReadAsync(actor, org, stack, request, ct);
        var redactor = new Redactor(await secrets.KnownAsync(ns, ct), DeniedKeys(stack));
        return (ContextAssembler.Assemble(draft, redactor, new ContextLimits()), draft);
    }

    /// <summary>Keys whose grants are missing or refused: their names next to a value give it away.</summary>
    private IEnumerable<string> DeniedKeys(Resource stack) =>
        reviews.Readiness(stack).Findings.Where(f => f.IsBlocking && f.Need is { Kind: "Secret", Key: not null }).Select(f => f.Need!.Key!);

    /// <summary>What is sent, as it is kept: the blocks of the prompt in their order.</summary>
    public static byte[] PromptOf(ContextBundle bundle) => Encoding.UTF8.GetBytes(KrateJson.ToText(Texts(bundle.Blocks)));

    /// <summary>The blocks of a prompt that was kept.</summary>
    public static IReadOnlyList<string> BlocksOf(byte[] prompt) => [.. JsonNode.Parse(prompt)!.AsArray().Select(b => b!.GetValue<string>())];

    /// <summary>As the API answers it.</summary>
    public static JsonObject ToJson(ContextBundle bundle) => new()
    {
        ["digest"] = bundle.Digest,
        ["trustTier"] = bundle.TrustTier,
        ["bytes"] = bundle.Bytes,
        ["layers"] = new JsonArray([.. bundle.Layers.Select(l => new JsonObject { ["name"] = l.Name, ["digest"] = l.Digest, ["size"] = l.Bytes })]),
        ["sources"] = new JsonArray([.. bundle.Sources.Select(s => new JsonObject
        {
            ["kind"] = s.Source.Kind, ["name"] = s.Source.Name, ["ref"] = s.Source.Ref, ["path"] = s.Source.Path, ["author"] = s.Source.Author, ["trustTier"] = s.Source.TrustTier, ["digest"] = s.Digest,
            ["size"] = s.Bytes, ["redactionStatus"] = s.Redactions > 0 ? "redacted" : "clean", ["cut"] = s.IsCut,
        })]),
        ["riskFindings"] = Texts(bundle.RiskFindings),
        ["redactions"] = new JsonObject(bundle.Redactions.Select(c => KeyValuePair.Create(c.Key, (JsonNode?)c.Value))),
        ["omissions"] = Texts(bundle.Omissions),
        ["blocks"] = Texts(bundle.Blocks),
    };

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(t => (JsonNode)t)]);
}
