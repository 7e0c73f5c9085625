using System.Text;
using Krate.Core.Agents;
using Krate.Core.Gateway;
using Krate.Core.Kinds.Review;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Dispatch;

/// <summary>
/// Makes an agent's way out from what its stack was given: the model provider, whose credential stays with Krate, and the hosts of the tool profile. Stateless
/// and thread-safe.
/// </summary>
internal sealed class AttemptEgress(KindCatalog catalog, IResourceCache cache, SecretVault vault, IEgress egress)
{
    private const string ModelRoute = "model", DefaultKey = "api-key";

    /// <param name="review">How the stack stands for this run.</param>
    /// <exception cref="ProbeException">What the stack says of its provider cannot be used.</exception>
    public async Task<AgentExit> OpenAsync(StackReview review, Resource stack, Func<EgressRequest, CancellationToken, Task<EgressVerdict>> decide, CancellationToken ct)
    {
        var model = ModelOf(review, stack);
        if (model is null && !MayReachHosts(stack)) return new(null, null);
        var gate = await egress.OpenAsync(new() { Routes = model is { } known ? [known.Route] : [], DecideAsync = decide }, ct);
        return new(gate, model?.Model);
    }

    private bool MayReachHosts(Resource stack) =>
        stack.Body.Text("spec.toolProfileRef") is { Length: > 0 } name && cache.Get(catalog["AgentToolProfile"], stack.Namespace, name) is { } profile
        && (profile.Body.Texts("spec.networkPolicy.allowHosts").Any() || profile.Body.Text("spec.approvalPolicyByTool.network") == "prompt");

    private (AgentModel Model, EgressRoute Route)? ModelOf(StackReview review, Resource stack)
    {
        if (stack.Body.Text("spec.provider") is not { Length: > 0 } name || review.Graph.Of("AgentProviderConfig").FirstOrDefault()?.Found is not { } config) return null;
        var known = ModelProvider.Find(config.Body.Text("spec.provider")) ?? throw Unusable(name, $"provider {ForeignText.Line(config.Body.Text("spec.provider"), 60)} is none that Krate knows ({string.Join(", ", ModelProvider.All.Select(p => p.Provider))})");
        var address = config.Body.Text("spec.baseUrl") ?? known.BaseUrl ?? throw Unusable(name, "spec.baseUrl says where it is, and is empty");
        return (new(known.Provider, stack.Body.Text("spec.model"), AgentNetwork.UrlOf(ModelRoute)), new(ModelRoute, new Uri(address), ct => SignInAsync(known, config, ct)));
    }

    /// <summary>As it is now: a key that was changed meanwhile is used at once.</summary>
    private async Task<IReadOnlyDictionary<string, string>> SignInAsync(ModelProvider known, Resource config, CancellationToken ct)
    {
        var type = config.Body.Text("spec.authType");
        if (type == ModelProvider.NoAuth || config.Body.Text("spec.secretRef.name") is not { Length: > 0 } secret) return new Dictionary<string, string>();
        var key = await vault.ReadAsync(SecretReader.ProviderProxy, config.Namespace, secret, config.Body.Text("spec.secretRef.key") ?? DefaultKey, ct);
        if (key is null) return new Dictionary<string, string>();
        var (header, value) = known.SignIn(type, Encoding.UTF8.GetString(key).Trim());
        return new Dictionary<string, string> { [header] = value };
    }

    private static ProbeException Unusable(string name, string why) => new(ProbeReasons.AdapterHandshakeFailed, $"AgentProviderConfig {name} cannot be used: {why}");
}

/// <summary>The way out of one agent, and the model behind it. Disposing closes it.</summary>
/// <param name="Gate">Null where it has none.</param>
internal sealed record AgentExit(IEgressGate? Gate, AgentModel? Model) : IAsyncDisposable
{
    public AgentNetwork? Network => Gate is null ? null : new(Gate.SocketPath);

    public ValueTask DisposeAsync() => Gate?.DisposeAsync() ?? ValueTask.CompletedTask;
}
