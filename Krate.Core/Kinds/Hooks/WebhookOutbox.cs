using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Core.Store;

namespace Krate.Core.Kinds.Hooks;

/// <summary>
/// Puts a WebhookDelivery for each subscription that asked for it into the transaction of the change: no change is told that did not happen,
/// and none that happened is lost. Sending is the sender's. Thread-safe.
/// </summary>
internal sealed class WebhookOutbox(IResourceCache cache, KindCatalog catalog, TimeProvider time) : ICommitCompanion
{
    /// <summary>Characters of a payload, and of a text in one that would be longer: a delivery, its tries and their answers fit into one document.</summary>
    private const int MostSent = 256 << 10, MostOfAText = 16 << 10;
    private readonly KindDefinition subscriptions = catalog["WebhookSubscription"];
    private readonly KindDefinition deliveries = catalog["WebhookDelivery"];

    public IReadOnlyList<CreateWrite> For(AdmittedChange change)
    {
        if (!WebhookEvents.Tells(change.After.Kind)) return [];
        var active = cache.List(subscriptions, change.After.Namespace).Where(s => !s.IsDeleting && s.Body.Flag("spec.active")).ToList();
        if (active.Count == 0) return [];
        var repository = RepositoryScope.RepositoryOf(change.After);
        var writes = new List<CreateWrite>();
        foreach (var told in WebhookEvents.Of(change))
            foreach (var subscription in active.Where(s => Wants(s, told, repository)))
                writes.Add(DeliveryOf(subscription, told, repository, change.After));
        return writes;
    }

    /// <summary>What is sent when nothing has happened.</summary>
    public JsonObject Ping(Resource subscription, string actor) =>
        Document(subscription, new WebhookEvent("ping", "test", actor), subscription.Body.Text("spec.repository"), new JsonObject { ["subscription"] = subscription.Name });

    /// <summary>The same once more, under a name of its own.</summary>
    public JsonObject Replay(Resource subscription, Resource delivery)
    {
        var document = Envelope(subscription, delivery.Body.Text("spec.repository"));
        foreach (var field in new[] { "eventType", "action", "payload", "payloadDigest" }) document["spec"]![field] = delivery.Body.At("spec." + field)?.DeepClone();
        document["spec"]!["replayOf"] = delivery.Name;
        return document;
    }

    private static bool Wants(Resource subscription, WebhookEvent told, string? repository) =>
        (subscription.Body.Text("spec.repository") is not { Length: > 0 } only || only == repository)
        && subscription.Body.Texts("spec.events").Any(e => e == "*" || e == told.Name);

    private CreateWrite DeliveryOf(Resource subscription, WebhookEvent told, string? repository, Resource after)
    {
        // A number is given in the transaction, and no sooner.
        var isKnown = told.Resource is not null || !after.Kind.Numbered || after.Body.Whole("spec.number") is not null;
        var document = isKnown ? Document(subscription, told, repository, told.Resource?.Copy() ?? Shown(after.Body)) : Envelope(subscription, repository);
        var write = new CreateWrite(deliveries, subscription.Namespace, document.Text("metadata.name")!, document);
        return isKnown ? write : write with { With = body => Fill(document.Copy(), subscription, told, repository, Shown(body)) };
    }

    private JsonObject Document(Resource subscription, WebhookEvent told, string? repository, JsonObject resource) =>
        Fill(Envelope(subscription, repository), subscription, told, repository, resource);

    private static JsonObject Fill(JsonObject document, Resource subscription, WebhookEvent told, string? repository, JsonObject resource)
    {
        var message = new JsonObject
        {
            ["event"] = told.Name,
            ["action"] = told.Action,
            ["org"] = subscription.Label(WellKnown.OrgLabel),
            ["repository"] = repository,
            ["actor"] = told.Actor,
            ["resource"] = resource,
            ["deliveredAt"] = document.Text("metadata.creationTimestamp"),
        };
        var payload = KrateJson.ToText(message);
        if (payload.Length > MostSent) payload = KrateJson.ToText(Shortened(message));
        var spec = document.Child("spec");
        (spec["eventType"], spec["action"], spec["payload"], spec["payloadDigest"]) = (told.Name, told.Action, payload, ContentDigest.Of(payload));
        return document;
    }

    /// <summary>Long texts by their beginnings; a resource of very many short ones by its name alone.</summary>
    private static JsonObject Shortened(JsonObject message)
    {
        message["truncated"] = true;
        message["resource"] = Shortened(message["resource"]);
        if (KrateJson.ToText(message).Length > MostSent && message["resource"] is JsonObject whole)
            message["resource"] = new JsonObject { ["kind"] = whole.Text("kind"), ["metadata"] = new JsonObject { ["name"] = whole.Text("metadata.name"), ["namespace"] = whole.Text("metadata.namespace"), ["uid"] = whole.Text("metadata.uid") } };
        return message;
    }

    private static JsonNode? Shortened(JsonNode? node) => node switch
    {
        JsonObject map => new JsonObject(map.Select(m => KeyValuePair.Create(m.Key, Shortened(m.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Shortened)]),
        JsonValue value when value.TryGetValue<string>(out var text) && text.Length > MostOfAText => text[..(char.IsHighSurrogate(text[MostOfAText - 1]) ? MostOfAText - 1 : MostOfAText)],
        _ => node?.DeepClone(),
    };

    private JsonObject Envelope(Resource subscription, string? repository)
    {
        var spec = new JsonObject { ["subscription"] = subscription.Name };
        if (repository is { Length: > 0 }) spec["repository"] = repository;
        return CompanionDocument.Make(deliveries, CompanionDocument.NewName(deliveries), subscription, repository, spec, new() { ["phase"] = RunPhase.Queued }, time.GetUtcNow());
    }

    /// <summary>As the API shows it, without who owns which field, and without the version, which is not given yet.</summary>
    private static JsonObject Shown(JsonObject body)
    {
        var shown = body.Copy();
        shown.Child("metadata").Remove("managedFields");
        shown.Child("metadata").Remove("resourceVersion");
        return shown;
    }
}
