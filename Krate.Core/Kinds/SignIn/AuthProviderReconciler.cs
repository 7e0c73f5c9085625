using Krate.Core.ControlPlane;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.SignIn;

/// <summary>Says whether people can sign in with a provider: by asking it where it is and how it signs, again and again.</summary>
internal sealed class AuthProviderReconciler(KindCatalog catalog, OidcProvider oidc, GitHubProvider github, EventRecorder events) : IReconciler
{
    public const string SecretExists = "SecretExists";
    public const string DiscoveryResolved = "DiscoveryResolved";
    private static readonly TimeSpan WhenReady = TimeSpan.FromMinutes(10), WhenNot = TimeSpan.FromSeconds(30);
    private static readonly AuthProviderStatus Nowhere = new();
    private readonly KindDefinition secrets = catalog["Secret"];

    public string Name => "auth-provider";

    public KindDefinition For { get; } = catalog["AuthProvider"];

    public IReadOnlyList<WakeUp> WakeUps => [new(secrets, (secret, cache) => secret.Namespace != WellKnown.PlatformNamespace ? [] : cache.List(For, secret.Namespace).Where(p => p.Body.Text("spec.clientSecretRef.name") == secret.Name).Select(p => p.Key))];

    public async Task<Outcome> ReconcileAsync(ResourceKey key, Resource? resource, ReconcileContext context, CancellationToken ct)
    {
        if (resource is null or { IsDeleting: true }) return Outcome.Done;
        var spec = resource.Spec<AuthProviderSpec>();
        var secret = Secret(spec, context);
        var (discovery, found) = await DiscoverAsync(spec, ct);
        var ready = Ready(spec, secret, discovery);
        await ReportAsync(resource, [secret, discovery, ready], found, context, ct);
        return spec.Type == AuthProviderKind.Headers ? Outcome.Done : Outcome.Again(ready.Status == Condition.True ? WhenReady : WhenNot);
    }

    private Condition Secret(AuthProviderSpec spec, ReconcileContext context)
    {
        if (spec.ClientSecretRef?.Name is not { } name) return new(SecretExists, Condition.True, "NotNeeded", "It names no Secret.");
        var key = spec.ClientSecretRef.Key ?? AuthProviderKind.SecretKey;
        var keys = context.Cache.Get(secrets, WellKnown.PlatformNamespace, name)?.Annotation(WellKnown.SecretKeysAnnotation);
        return keys is not null && KrateJson.ParseObject(keys).ContainsKey(key)
            ? new(SecretExists, Condition.True, "Found", $"The Secret {name} has the key {key}.")
            : new(SecretExists, Condition.False, "SecretMissing", $"There is no Secret {name} with a key {key} in {WellKnown.PlatformNamespace}.");
    }

    private async Task<(Condition Condition, AuthProviderStatus Found)> DiscoverAsync(AuthProviderSpec spec, CancellationToken ct)
    {
        try
        {
            return spec.Type switch
            {
                AuthProviderKind.Oidc when spec.Issuer is null => (new(DiscoveryResolved, Condition.False, "Incomplete", "spec.issuer is needed."), Nowhere),
                AuthProviderKind.Oidc => (new(DiscoveryResolved, Condition.True, "Found", "The discovery document and its keys were read."), await oidc.DiscoverAsync(spec.Issuer, ct)),
                AuthProviderKind.GitHub => (new(DiscoveryResolved, Condition.True, "NotNeeded", "GitHub has no discovery document; its addresses are asked when somebody signs in."), github.Endpoints(spec)),
                _ => (new(DiscoveryResolved, Condition.True, "NotNeeded", "A proxy says who people are."), Nowhere),
            };
        }
        catch (ApiException e)
        {
            return (new(DiscoveryResolved, Condition.False, "DiscoveryFailed", $"{e.Message}."), Nowhere);
        }
    }

    private static Condition Ready(AuthProviderSpec spec, Condition secret, Condition discovery)
    {
        var missing = Missing(spec).ToList();
        if (missing.Count > 0) return new(Condition.Ready, Condition.False, "Incomplete", $"A provider of type {spec.Type} needs {string.Join(", ", missing)}.");
        var problem = new[] { secret, discovery }.FirstOrDefault(c => c.Status != Condition.True);
        return problem is null
            ? new(Condition.Ready, Condition.True, "Ready", "People can sign in with it.")
            : new(Condition.Ready, Condition.False, problem.Reason, problem.Message);
    }

    private static IEnumerable<string> Missing(AuthProviderSpec spec)
    {
        if (spec.Type == AuthProviderKind.Headers)
        {
            if (spec.UserHeader is null) yield return "spec.userHeader";
            if (spec.TrustedProxies is not { Count: > 0 }) yield return "spec.trustedProxies";
            yield break;
        }

        if (spec.ClientId is not { Length: > 0 }) yield return "spec.clientId";
        if (spec.Type == AuthProviderKind.Oidc && spec.Issuer is null) yield return "spec.issuer";
        if (spec.Type == AuthProviderKind.GitHub && spec.ClientSecretRef is null) yield return "spec.clientSecretRef";
    }

    private async Task ReportAsync(Resource provider, IReadOnlyList<Condition> conditions, AuthProviderStatus found, ReconcileContext context, CancellationToken ct)
    {
        var ready = conditions[^1];
        var before = provider.FindCondition(Condition.Ready);
        var hasWorked = provider.Body.Text("status.phase") is AuthProviderStatus.Ready or AuthProviderStatus.Degraded;
        var status = StatusWriter.Status(ready.Status == Condition.True ? AuthProviderStatus.Ready : hasWorked ? AuthProviderStatus.Degraded : AuthProviderStatus.Pending, conditions);
        status["issuer"] = found.Issuer;
        status["authorizationEndpoint"] = found.AuthorizationEndpoint;
        status["tokenEndpoint"] = found.TokenEndpoint;
        status["userInfoEndpoint"] = found.UserInfoEndpoint;
        status["keysEndpoint"] = found.KeysEndpoint;
        status["clientAuthentication"] = found.ClientAuthentication;
        var written = await context.WriteStatusAsync(provider, status, ct);
        if (before?.Status == ready.Status && before.Reason == ready.Reason) return;
        if (ready.Status == Condition.True) await events.NormalAsync(context, written, ready.Reason, ready.Message, ct);
        else await events.WarningAsync(context, written, ready.Reason, ready.Message, ct);
    }
}
