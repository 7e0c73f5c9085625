using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Microsoft.Extensions.DependencyInjection;

namespace Krate.Core.Kinds.Hooks;

/// <summary>What is done with subscriptions and deliveries. Each name is the RBAC verb, too.</summary>
public static class WebhookActions
{
    /// <summary>Queues a delivery of the event <c>ping</c>.</summary>
    public const string Test = "test";

    /// <summary>Queues the same delivery once more, under a name of its own.</summary>
    public const string Replay = "replay";

    internal static IServiceCollection AddWebhooks(this IServiceCollection services) => services
        .AddSingleton<WebhookOutbox>()
        .AddSingleton<ICommitCompanion>(p => p.GetRequiredService<WebhookOutbox>())
        .AddSingleton<WebhookRequests>()
        .AddSingleton<IResourceAction, TestWebhookAction>()
        .AddSingleton<IResourceAction, ReplayDeliveryAction>();

    /// <exception cref="ApiException">409: nothing is sent to it.</exception>
    internal static Resource CheckActive(Resource about, Resource? subscription) => subscription switch
    {
        null or { IsDeleting: true } => throw ApiException.Conflict(about.Kind, about.Name, "its subscription is gone"),
        _ when !subscription.Body.Flag("spec.active") => throw ApiException.Conflict(about.Kind, about.Name, $"the subscription {subscription.Name} is not active; set spec.active to true"),
        _ => subscription,
    };
}

internal sealed class TestWebhookAction(IServiceProvider services, WebhookOutbox outbox, KindCatalog catalog) : IResourceAction
{
    public string Kind => "WebhookSubscription";

    public string Name => WebhookActions.Test;

    public (string Verb, string Subresource) Access => (WebhookActions.Test, "");

    public async Task<JsonObject> RunAsync(Actor actor, Resource target, JsonObject body, CancellationToken ct)
    {
        var document = outbox.Ping(WebhookActions.CheckActive(target, target), actor.User);
        // The gateway holds the actions, so it is asked for only when one runs.
        var gateway = services.GetRequiredService<IResourceGateway>();
        return (await gateway.CreateAsync(PrivilegedAccess.Hooks(actor), catalog["WebhookDelivery"], target.Namespace, document, new WriteOptions(), ct)).Body.Copy();
    }
}

internal sealed class ReplayDeliveryAction(IServiceProvider services, WebhookOutbox outbox, IResourceCache cache, KindCatalog catalog) : IResourceAction
{
    public string Kind => "WebhookDelivery";

    public string Name => WebhookActions.Replay;

    public (string Verb, string Subresource) Access => (WebhookActions.Replay, "");

    public async Task<JsonObject> RunAsync(Actor actor, Resource target, JsonObject body, CancellationToken ct)
    {
        var subscription = WebhookActions.CheckActive(target, cache.Get(catalog["WebhookSubscription"], target.Namespace, target.Body.Text("spec.subscription") ?? ""));
        var gateway = services.GetRequiredService<IResourceGateway>();
        return (await gateway.CreateAsync(PrivilegedAccess.Hooks(actor), target.Kind, target.Namespace, outbox.Replay(subscription, target), new WriteOptions(), ct)).Body.Copy();
    }
}
