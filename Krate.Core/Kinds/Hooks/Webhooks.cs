using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Hooks;

public sealed record WebhookSubscriptionSpec : ProductSpec
{
    [Description("Repository whose events are sent; all of the organization when empty.")]
    public string? Repository { get; init; }

    [Description("Address that receives them.")]
    [HttpUrl]
    [MaxLength(2048)]
    public string? Url { get; init; }

    [Description("Events that are sent; * for all.")]
    [AllowedValues("push", "pull_request", "issue", "comment", "review", "pipeline", "job", "agent_run", "approval", "*")]
    public IReadOnlyList<string>? Events { get; init; }

    [Description("Secret with the key that signs deliveries.")]
    public SecretKeyRef? SecretRef { get; init; }

    [Description("Whether events are sent; true unless set.")]
    public bool? Active { get; init; }

    [Description("How deliveries are tried again.")]
    public WebhookRetryPolicy? RetryPolicy { get; init; }
}

public sealed record WebhookRetryPolicy
{
    [Description("Most tries of one delivery.")]
    [Range(1, 100)]
    public int? MaxAttempts { get; init; }

    [Description("Delay before the second try; it doubles with each.")]
    [Duration]
    public string? InitialDelay { get; init; }

    [Description("Longest delay between two tries.")]
    [Duration]
    public string? MaxDelay { get; init; }
}

public static class WebhookSubscriptionKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "WebhookSubscription", Plural = "webhooksubscriptions", Context = "hooks-events", Storage = "etcd", Scope = KindScope.Org, Area = "Hooks",
        Description = "Sends events of a repository or an organization to an address.",
        ShortNames = ["hook", "hooks"],
        SpecType = typeof(WebhookSubscriptionSpec),
        StatusType = typeof(PlainStatus),
        RequiredSpec = ["url", "events"],
        Actions = [WebhookActions.Test],
        RepositoryPath = "spec.repository",
        Columns = [new("Repository", "spec.repository"), new("URL", "spec.url"), new("Events", "spec.events"), new("Active", "spec.active", "boolean"), Rows.Ready],
        References = [new("spec.repository", "Repository"), new("spec.secretRef.name", "Secret") { NamespaceField = "namespace" }],
        DerivedLabels = [Rows.Repository],
        Default = body => Rows.Default(body, "spec.active", true),
        Validate = body => Rows.NoCredentialsInUrl(body, "spec.url").Concat(Rows.OwnNamespace(body, "spec.secretRef.namespace")),
    };
}

public sealed record WebhookDeliverySpec : ProductSpec
{
    [Description("WebhookSubscription that the delivery is for.")]
    public string? Subscription { get; init; }

    [Description("Repository that the event is about; empty when it is about none.")]
    public string? Repository { get; init; }

    [Description("Event that is sent.")]
    [MaxLength(63)]
    public string? EventType { get; init; }

    [Description("What happened: opened, closed, completed ...")]
    [MaxLength(63)]
    public string? Action { get; init; }

    [Description("The body that is sent, as text.")]
    public string? Payload { get; init; }

    [Description("Delivery that this one sends again.")]
    public string? ReplayOf { get; init; }

    [Description("Digest of the payload.")]
    [Digest]
    public string? PayloadDigest { get; init; }

    [Description("Not set: each try is signed with the Secret of its moment and keeps its own signature.")]
    [MaxLength(255)]
    public string? Signature { get; init; }
}

[Phases(RunPhase.Queued, RunPhase.Succeeded, RunPhase.Failed)]
public sealed record WebhookDeliveryStatus : ProductStatus
{
    [Description("When it is sent again.")]
    public DateTimeOffset? NextAttemptAt { get; init; }

    [Description("Every try, oldest first.")]
    public IReadOnlyList<DeliveryAttempt>? Attempts { get; init; }

    [Description("Digest of the last answer.")]
    [Digest]
    public string? ResponseDigest { get; init; }
}

public sealed record DeliveryAttempt
{
    [Description("When it was sent.")]
    public DateTimeOffset? At { get; init; }

    [Description("HTTP status of the answer.")]
    public int? Status { get; init; }

    [Description("Milliseconds until the answer.")]
    public long? LatencyMs { get; init; }

    [Description("Why it counts as failed.")]
    public string? Error { get; init; }

    [Description("Signature header that was sent.")]
    public string? Signature { get; init; }

    [Description("All headers that were sent.")]
    public IReadOnlyDictionary<string, string>? RequestHeaders { get; init; }

    [Description("Beginning of the answer.")]
    public string? Excerpt { get; init; }
}

public static class WebhookDeliveryKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "WebhookDelivery", Plural = "webhookdeliveries", Context = "hooks-events", Storage = "postgres", Scope = KindScope.Org, Area = "Hooks",
        Description = "One event on its way to a subscriber, with every try.",
        SpecType = typeof(WebhookDeliverySpec),
        StatusType = typeof(WebhookDeliveryStatus),
        RequiredSpec = ["subscription", "eventType"],
        Mutability = SpecMutability.Fixed,
        ServerMade = true,
        NamePrefix = "delivery-",
        SelectableFields = ["status.phase", "spec.subscription", "spec.repository"],
        Actions = [WebhookActions.Replay],
        RepositoryPath = "spec.repository",
        Columns = [new("Subscription", "spec.subscription"), new("Event", "spec.eventType"), new("Action", "spec.action"), Rows.Phase, new("Answers", "status.attempts[].status", Wide: true)],
        References = [new("spec.subscription", "WebhookSubscription", Required: true), new("spec.repository", "Repository")],
        DerivedLabels = [Rows.Repository],
    };
}
