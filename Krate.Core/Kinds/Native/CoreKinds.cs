using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Native;

/// <summary>The kinds of Kubernetes' core group, and Lease, that the embedded control plane owns.</summary>
public static class CoreKinds
{
    public static KindDefinition Namespace { get; } = new()
    {
        Kind = "Namespace", Plural = "namespaces", Group = "", Version = "v1", Scope = KindScope.Cluster, Area = "Native", Context = "core",
        Description = "A space of names. One organization is bound to one namespace.",
        ShortNames = ["ns"],
        NativeType = typeof(V1Namespace),
        StatusType = typeof(V1NamespaceStatus),
        SelectableFields = ["status.phase"],
        Columns = [new("Status", "status.phase", Description: "Active or Terminating.")],
        FieldDescriptions = new Dictionary<string, string>
        {
            ["spec"] = "Who must finish before the namespace may go.",
            ["spec.finalizers"] = "Finalizers of the namespace's content.",
            ["status"] = "Observed state of the namespace.",
            ["status.phase"] = "Active, or Terminating while it is emptied.",
            ["status.conditions"] = "What holds up a deletion.",
        },
        Default = body =>
        {
            if (body.At("metadata.name") is { } name) body.Child("metadata").Child("labels")["kubernetes.io/metadata.name"] = name.DeepClone();
            if (body.At("status.phase") is null) body.Set("status.phase", "Active");
        },
    };

    public static KindDefinition ServiceAccount { get; } = new()
    {
        Kind = "ServiceAccount", Plural = "serviceaccounts", Group = "", Version = "v1", Scope = KindScope.Namespaced, Area = "Native", Context = "identity",
        Description = "An identity for agents, runners and other programs. Its tokens come from the token subresource.",
        ShortNames = ["sa"],
        MaxNameLength = 253,
        NativeType = typeof(V1ServiceAccount),
        Actions = ["token"],
        Columns = [new("Secrets", "secrets", "integer") { Compute = b => (b["secrets"] as JsonArray)?.Count ?? 0 }],
        FieldDescriptions = new Dictionary<string, string>
        {
            ["automountServiceAccountToken"] = "Whether a token is put into every process that runs as this identity.",
            ["imagePullSecrets"] = "Secrets for pulling images.",
            ["imagePullSecrets.name"] = "Name of the Secret.",
            ["secrets"] = "Secrets that processes of this identity may use.",
            ["secrets.name"] = "Name of the Secret.",
        },
    };

    public static KindDefinition Secret { get; } = new()
    {
        Kind = "Secret", Plural = "secrets", Group = "", Version = "v1", Scope = KindScope.Namespaced, Area = "Native", Context = "identity",
        Description = "Values that Krate keeps encrypted and never returns: data is write-only. Keys, sizes, versions and times of change are in the annotation krate.a5c.ai/secret-keys.",
        MaxNameLength = 253,
        NativeType = typeof(V1Secret),
        SelectableFields = ["type"],
        FixedSpecFields = ["type"],
        Columns = [new("Type", "type"), new("Data", "data", "integer", Description: "Number of keys.") { Compute = SecretKeys }],
        FieldDescriptions = new Dictionary<string, string>
        {
            ["data"] = "Values by key, base64. Write-only; a key that is left out keeps its value.",
            ["stringData"] = "Values by key as text. Write-only.",
            ["immutable"] = "Whether the values may never change.",
            ["type"] = "What the values are for (Opaque, kubernetes.io/dockerconfigjson ...); fixed after create.",
        },
        Default = body => { if (string.IsNullOrEmpty(body.Text("type"))) body["type"] = "Opaque"; },
        Validate = body => DataKeys(body, "data", "stringData"),
    };

    public static KindDefinition ConfigMap { get; } = new()
    {
        Kind = "ConfigMap", Plural = "configmaps", Group = "", Version = "v1", Scope = KindScope.Namespaced, Area = "Native", Context = "core",
        Description = "Configuration as keys and values, nothing secret.",
        ShortNames = ["cm"],
        MaxNameLength = 253,
        NativeType = typeof(V1ConfigMap),
        Columns = [new("Data", "data", "integer", Description: "Number of keys.") { Compute = b => Count(b["data"]) + Count(b["binaryData"]) }],
        FieldDescriptions = new Dictionary<string, string>
        {
            ["data"] = "Values by key as text.",
            ["binaryData"] = "Values by key, base64.",
            ["immutable"] = "Whether the values may never change.",
        },
        Validate = body => DataKeys(body, "data", "binaryData"),
    };

    public static KindDefinition Event { get; } = new()
    {
        Kind = "Event", Plural = "events", Group = "", Version = "v1", Scope = KindScope.Namespaced, Area = "Native", Context = "core",
        Description = "Something that happened to a resource; kept for an hour.",
        ShortNames = ["ev"],
        MaxNameLength = 253,
        NativeType = typeof(Corev1Event),
        RequiredFields = ["involvedObject"],
        SelectableFields = ["involvedObject.kind", "involvedObject.name", "involvedObject.namespace", "involvedObject.uid", "reason", "type"],
        Columns =
        [
            new("Last Seen", "lastTimestamp", "date") { Compute = LastSeen },
            new("Type", "type"),
            new("Reason", "reason"),
            new("Object", "involvedObject") { Compute = b => $"{b.Text("involvedObject.kind")?.ToLowerInvariant()}/{b.Text("involvedObject.name")}" },
            new("Source", "source.component", Wide: true) { Compute = b => b.Text("source.component") ?? b.Text("reportingComponent") },
            new("Message", "message"),
            new("Count", "count", "integer", Wide: true),
        ],
        FieldDescriptions = new Dictionary<string, string>
        {
            ["action"] = "What was done about the object.",
            ["count"] = "How often it happened.",
            ["eventTime"] = "When it was first observed, to the microsecond.",
            ["firstTimestamp"] = "When it first happened.",
            ["lastTimestamp"] = "When it last happened.",
            ["involvedObject"] = "The resource that this is about.",
            ["involvedObject.kind"] = "Kind of the resource.",
            ["involvedObject.name"] = "Name of the resource.",
            ["involvedObject.namespace"] = "Namespace of the resource.",
            ["involvedObject.uid"] = "Uid of the resource.",
            ["message"] = "What happened, for people.",
            ["reason"] = "What happened, as a stable CamelCase word.",
            ["related"] = "Another resource that took part.",
            ["reportingComponent"] = "Controller that reported it.",
            ["reportingInstance"] = "Instance of that controller.",
            ["series"] = "Repetitions of the same event.",
            ["source"] = "Component that reported it.",
            ["type"] = "Normal or Warning.",
        },
    };

    public static KindDefinition Lease { get; } = new()
    {
        Kind = "Lease", Plural = "leases", Group = "coordination.k8s.io", Version = "v1", Scope = KindScope.Namespaced, Area = "Native", Context = "core",
        Description = "A lock that one holder has until it expires.",
        MaxNameLength = 253,
        NativeType = typeof(V1Lease),
        Columns = [new("Holder", "spec.holderIdentity")],
        FieldDescriptions = new Dictionary<string, string>
        {
            ["spec"] = "Who holds the lease and for how long.",
            ["spec.holderIdentity"] = "The holder.",
            ["spec.leaseDurationSeconds"] = "Seconds after the last renewal until others may take it.",
            ["spec.acquireTime"] = "When the holder took it.",
            ["spec.renewTime"] = "When the holder last renewed it.",
            ["spec.leaseTransitions"] = "How often the holder changed.",
        },
    };

    public static IReadOnlyList<KindDefinition> All { get; } = [Namespace, ServiceAccount, Secret, ConfigMap, Event, Lease];

    private static int Count(JsonNode? map) => map is JsonObject o ? o.Count : 0;

    private static JsonValue? LastSeen(JsonObject body) =>
        (body.Text("series.lastObservedTime") ?? body.Text("lastTimestamp") ?? body.Text("eventTime") ?? body.Text("firstTimestamp") ?? body.Text("metadata.creationTimestamp")) is { } t
            ? JsonValue.Create(t)
            : null;

    private static JsonNode? SecretKeys(JsonObject body)
    {
        if (body["data"] is JsonObject data) return data.Count;
        if (body["metadata"]?["annotations"]?[WellKnown.SecretKeysAnnotation] is not JsonValue v || !v.TryGetValue<string>(out var text)) return 0;
        try
        {
            using var keys = JsonDocument.Parse(text);
            return keys.RootElement.ValueKind switch
            {
                JsonValueKind.Object => keys.RootElement.EnumerateObject().Count(),
                JsonValueKind.Array => keys.RootElement.GetArrayLength(),
                _ => 0,
            };
        }
        catch (JsonException)
        {
            return 0;
        }
    }

    private static IEnumerable<FieldError> DataKeys(JsonObject body, params string[] maps)
    {
        foreach (var map in maps)
        {
            foreach (var (key, _) in body[map] as JsonObject ?? [])
            {
                if (key.Length is 0 or > 253 || key is "." or ".." || !key.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
                    yield return new FieldError(SchemaValidator.FieldInvalid, map, "a key must consist of at most 253 letters, digits, '-', '_' or '.'");
            }
        }
    }
}
