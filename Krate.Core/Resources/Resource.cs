using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Krate.Core.Resources;

/// <summary>Names one resource. <paramref name="Namespace"/> is empty for cluster-scoped kinds.</summary>
public readonly record struct ResourceKey(string Kind, string Namespace, string Name)
{
    public override string ToString() => Namespace.Length == 0 ? $"{Kind}/{Name}" : $"{Kind}/{Namespace}/{Name}";
}

/// <summary>
/// One resource as it was at one resource version: a kind of the table and the JSON document in Kubernetes' envelope.
/// Immutable by contract and safe for any number of readers: nobody changes <see cref="Body"/>; who wants another
/// document calls <see cref="Edit"/> and works on the copy.
/// </summary>
public sealed class Resource
{
    private readonly ResourceKey? storedKey;
    private readonly long storedVersion;
    private byte[]? utf8;
    private JsonObject? body;

    public Resource(KindDefinition kind, JsonObject body)
    {
        Kind = kind;
        this.body = body;
    }

    private Resource(KindDefinition kind, ResourceKey key, long version, byte[] utf8)
    {
        Kind = kind;
        storedKey = key;
        storedVersion = version;
        this.utf8 = utf8;
    }

    public KindDefinition Kind { get; }

    /// <summary>The whole document, <c>metadata.resourceVersion</c> included. Read only.</summary>
    public JsonObject Body => Volatile.Read(ref body) ?? Parse();

    /// <summary>The <c>metadata</c> object of <see cref="Body"/>. Read only.</summary>
    public JsonObject Metadata => Body["metadata"] as JsonObject ?? [];

    public string Name => storedKey?.Name ?? Metadata.Text("name") ?? "";

    public string Namespace => storedKey?.Namespace ?? Metadata.Text("namespace") ?? "";

    public string Uid => Metadata.Text("uid") ?? "";

    public ResourceKey Key => storedKey ?? new(Kind.Kind, Namespace, Name);

    /// <summary>The resource version; 0 when never stored.</summary>
    public long Version => storedVersion != 0 ? storedVersion : long.TryParse(Metadata.Text("resourceVersion"), NumberStyles.None, CultureInfo.InvariantCulture, out var v) ? v : 0;

    /// <summary>Grows when the spec changes; 0 when never stored.</summary>
    public long Generation => Metadata["generation"] is JsonValue v && v.TryGetValue<long>(out var g) ? g : AsInt(Metadata["generation"]);

    public DateTimeOffset? CreatedAt => Time("creationTimestamp");

    public DateTimeOffset? DeletedAt => Time("deletionTimestamp");

    public bool IsDeleting => Metadata["deletionTimestamp"] is not null;

    public IReadOnlyDictionary<string, string> Labels => Map("labels");

    public IReadOnlyDictionary<string, string> Annotations => Map("annotations");

    public IReadOnlyList<string> Finalizers => [.. Metadata.Texts("finalizers")];

    /// <summary>Serialised once and shared by every watcher and response.</summary>
    public ReadOnlyMemory<byte> Utf8 => utf8 ??= Encoding.UTF8.GetBytes(KrateJson.ToText(Body));

    public string? Label(string key) => Metadata["labels"] is JsonObject l && l[key] is JsonValue v && v.TryGetValue<string>(out var s) ? s : null;

    public string? Annotation(string key) => Metadata["annotations"] is JsonObject l && l[key] is JsonValue v && v.TryGetValue<string>(out var s) ? s : null;

    /// <summary>The spec as its typed record; members that the record lacks are ignored.</summary>
    /// <exception cref="JsonException">The stored spec does not fit the record.</exception>
    public T Spec<T>()
        where T : class, new() => Body["spec"]?.Deserialize<T>(KrateJson.Options) ?? new T();

    /// <summary>The status as its typed record; an empty one when there is none yet.</summary>
    public T Status<T>()
        where T : class, new() => Body["status"]?.Deserialize<T>(KrateJson.Options) ?? new T();

    public IReadOnlyList<Condition> Conditions => Condition.ReadAll(Body);

    public Condition? FindCondition(string type) => Conditions.FirstOrDefault(c => c.Type == type);

    /// <summary>A resource as the store holds it: the text (resourceVersion included) is parsed when somebody first looks inside.</summary>
    public static Resource Stored(KindDefinition kind, string ns, string name, long version, byte[] utf8) =>
        new(kind, new ResourceKey(kind.Kind, ns, name), version, utf8);

    /// <summary>A deep copy of the document that may be changed and given to the gateway.</summary>
    public JsonObject Edit() => Body.Copy();

    /// <summary>The same document at another resource version.</summary>
    public Resource WithVersion(long version)
    {
        var body = Edit();
        body.Child("metadata")["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture);
        return new Resource(Kind, KrateJson.Settle(body));
    }

    public override string ToString() => $"{Key}@{Version}";

    private JsonObject Parse()
    {
        var parsed = KrateJson.ParseObject(utf8);
        return Interlocked.CompareExchange(ref body, parsed, null) ?? parsed;
    }

    private static long AsInt(JsonNode? node) => node is JsonValue v && v.TryGetValue<int>(out var i) ? i : 0;

    private DateTimeOffset? Time(string field) =>
        DateTimeOffset.TryParse(Metadata.Text(field), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var t) ? t : null;

    private Dictionary<string, string> Map(string field)
    {
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        if (Metadata[field] is JsonObject o)
        {
            foreach (var (k, v) in o)
                if (v is JsonValue value && value.TryGetValue<string>(out var s)) map[k] = s;
        }

        return map;
    }
}
