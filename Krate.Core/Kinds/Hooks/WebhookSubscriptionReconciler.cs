using System.Globalization;
using System.Text.Json.Nodes;
using Krate.Core.ControlPlane;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Microsoft.Extensions.Logging;

namespace Krate.Core.Kinds.Hooks;

/// <summary>
/// Sends what is queued for a subscription, a few at a time, and says on it how the last one went. A crash between an answer and its record sends
/// the same delivery, under the same name, once more.
/// </summary>
internal sealed class WebhookSubscriptionReconciler(KindCatalog catalog, WebhookRequests requests) : IReconciler
{
    /// <summary>Sent at once for one subscription; one that hangs holds up its own deliveries only.</summary>
    private const int AtOnce = 8;
    private const int DefaultAttempts = 8;
    /// <summary>Looked through for what is due, the oldest first; more than these are not even waiting for their turn.</summary>
    private const int AtOnceRead = 100, MostRead = 2000;
    private static readonly TimeSpan DefaultInitial = TimeSpan.FromSeconds(10), DefaultMost = TimeSpan.FromHours(1), Kept = TimeSpan.FromDays(30);
    private readonly KindDefinition deliveries = catalog["WebhookDelivery"];

    public string Name => "webhook";

    /// <summary>Receivers that hang have a slot each, and leave some to those that do not.</summary>
    public int? Concurrency => 32;

    public KindDefinition For { get; } = catalog["WebhookSubscription"];

    public IReadOnlyList<WakeUp> WakeUps => [new(deliveries, (delivery, _) => [new ResourceKey(For.Kind, delivery.Namespace, delivery.Body.Text("spec.subscription") ?? "")])];

    public async Task<Outcome> ReconcileAsync(ResourceKey key, Resource? resource, ReconcileContext context, CancellationToken ct)
    {
        if (resource is null or { IsDeleting: true }) return Outcome.Done;
        if (!resource.Body.Flag("spec.active"))
        {
            await TellAsync(context, resource, Condition.False, "Suspended", "It is not active: nothing is sent, and what happens meanwhile is not kept for it.", ct);
            return Outcome.Done;
        }

        var (due, next) = await QueuedAsync(context, resource, ct);
        var sent = await Task.WhenAll(due.Take(AtOnce).Select(d => SendAsync(context, resource, d, ct)));
        if (sent.LastOrDefault() is { } last) await TellAsync(context, resource, last, ct);
        else if (resource.FindCondition(Condition.Ready) is null) await TellAsync(context, resource, Condition.True, "Active", "Nothing has been sent yet.", ct);
        await ForgetAsync(context, resource, ct);
        if (due.Count > sent.Length) return Outcome.Again(TimeSpan.Zero);
        var soonest = sent.Select(DueAt).Append(next).Min();
        return soonest is { } at ? Outcome.Again(TimeSpan.FromTicks(Math.Max(TimeSpan.TicksPerMillisecond, (at - context.Time.GetUtcNow()).Ticks))) : Outcome.Done;
    }

    /// <summary>What is due, the oldest first, for their names grow with time; and when the first of those comes that wait to be tried again.</summary>
    private async Task<(List<Resource> Due, DateTimeOffset? Next)> QueuedAsync(ReconcileContext context, Resource subscription, CancellationToken ct)
    {
        var fields = new Selector([new("spec.subscription", SelectorOperator.In, [subscription.Name]), new("status.phase", SelectorOperator.In, [RunPhase.Queued])]);
        var now = context.Time.GetUtcNow();
        var due = new List<Resource>();
        DateTimeOffset? next = null;
        var options = new ListOptions { Fields = fields, Limit = AtOnceRead };
        for (var read = 0; read < MostRead; read += AtOnceRead)
        {
            var page = await context.Gateway.ListAsync(context.Actor, deliveries, subscription.Namespace, options, ct);
            foreach (var delivery in page.Items)
            {
                if (DueAt(delivery) is { } at && at > now) next = next < at ? next : at;
                else due.Add(delivery);
            }

            if (due.Count > AtOnce || page.Continue is null) break;
            options = options with { Continue = page.Continue };
        }

        return (due, next);
    }

    /// <returns>The delivery with the try on it.</returns>
    private async Task<Resource> SendAsync(ReconcileContext context, Resource subscription, Resource delivery, CancellationToken ct)
    {
        var answer = await requests.SendAsync(subscription, delivery, ct);
        var tries = delivery.Body.At("status.attempts") is JsonArray known ? (JsonArray)known.DeepClone() : [];
        tries.Add(answer.Attempt);
        var most = (int)(subscription.Body.Whole("spec.retryPolicy.maxAttempts") ?? DefaultAttempts);
        var isOver = answer.Succeeded || answer.IsFinal || tries.Count >= most;
        try
        {
            return await context.WriteStatusAsync(delivery, Status(), ct);
        }
        catch (ApiException e) when (e.Code is 413 or 422)
        {
            // The answer holds what may not be kept, as the value of a Secret.
            ((JsonObject)tries[^1]!)["excerpt"] = null;
        }

        try
        {
            return await context.WriteStatusAsync(delivery, Status(), ct);
        }
        catch (ApiException e) when (e.Code is 413 or 422)
        {
            // So does what is sent, since a Secret was made that it names. It is not tried for ever.
            context.Logger.LogWarning("Delivery {Delivery} is given up, because it cannot be recorded: {Reason}", delivery.Name, e.Message);
            return (await context.Gateway.DeleteAsync(context.Actor, deliveries, delivery.Namespace, delivery.Name, new DeleteOptions { Uid = delivery.Uid }, ct)).Resource;
        }

        JsonObject Status() => new()
        {
            ["phase"] = answer.Succeeded ? RunPhase.Succeeded : isOver ? RunPhase.Failed : RunPhase.Queued,
            ["attempts"] = tries.DeepClone(),
            ["responseDigest"] = answer.ResponseDigest,
            ["nextAttemptAt"] = isOver ? null : Timestamps.Format(context.Time.GetUtcNow() + DelayAfter(subscription, tries.Count)),
        };
    }

    /// <summary>Doubles with each try; some randomness keeps many from coming back together.</summary>
    private static TimeSpan DelayAfter(Resource subscription, int tries)
    {
        var initial = DurationText.Parse(subscription.Body.Text("spec.retryPolicy.initialDelay")) ?? DefaultInitial;
        var most = DurationText.Parse(subscription.Body.Text("spec.retryPolicy.maxDelay")) ?? DefaultMost;
        var delay = Math.Min(initial.TotalSeconds * Math.Pow(2, Math.Min(tries - 1, 30)), most.TotalSeconds);
        return TimeSpan.FromSeconds(delay * (0.8 + (Random.Shared.NextDouble() * 0.4)));
    }

    private static Task<Resource> TellAsync(ReconcileContext context, Resource subscription, Resource last, CancellationToken ct)
    {
        var attempt = (last.Body.At("status.attempts") as JsonArray)?.LastOrDefault();
        return attempt?.Text("error") is { } error
            ? TellAsync(context, subscription, Condition.False, "DeliveryFailed", $"The last delivery failed: {error}.", ct)
            : TellAsync(context, subscription, Condition.True, "Delivered", "The last delivery was taken.", ct);
    }

    private static Task<Resource> TellAsync(ReconcileContext context, Resource subscription, string status, string reason, string message, CancellationToken ct)
    {
        var conditions = Condition.Merge(subscription.Conditions, [new(Condition.Ready, status, reason, message)], subscription.Generation, context.Time.GetUtcNow());
        var phase = status == Condition.True ? "Ready" : reason == "Suspended" ? "Paused" : "Degraded";
        return context.WriteStatusAsync(subscription, new JsonObject { ["phase"] = phase, ["conditions"] = conditions }, ct);
    }

    /// <summary>Those that ended a month ago, some of them with each pass: more than a pass sends.</summary>
    private async Task ForgetAsync(ReconcileContext context, Resource subscription, CancellationToken ct)
    {
        var fields = new Selector([new("spec.subscription", SelectorOperator.In, [subscription.Name])]);
        var oldest = await context.Gateway.ListAsync(context.Actor, deliveries, subscription.Namespace, new ListOptions { Fields = fields, Limit = 2 * AtOnce }, ct);
        foreach (var old in oldest.Items.Where(d => d.CreatedAt < context.Time.GetUtcNow() - Kept && d.Body.Text("status.phase") != RunPhase.Queued))
            await context.Gateway.DeleteAsync(context.Actor, deliveries, old.Namespace, old.Name, new DeleteOptions { Uid = old.Uid }, ct);
    }

    private static DateTimeOffset? DueAt(Resource delivery) =>
        delivery.Body.Text("status.phase") == RunPhase.Queued && DateTimeOffset.TryParse(delivery.Body.Text("status.nextAttemptAt"), CultureInfo.InvariantCulture, out var at) ? at : null;
}
