using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Core.Store;

namespace Krate.Core.Gateway;

/// <summary>
/// The write-only life of a Secret. Its stored document has no <c>data</c>; keys, sizes, versions and times of change stand in an annotation.
/// While a write is worked out, existing values are stood in for by placeholders, so that patches and field ownership work
/// as on any document; <see cref="TakeValues"/> then turns what remains into encrypted values to set and keys to remove.
/// </summary>
internal sealed class SecretDocuments(SecretVault vault, IResourceStore store, TimeProvider time)
{
    private const int MaxTotalBytes = 1 << 20;
    private static readonly string Placeholder = Convert.ToBase64String(Encoding.UTF8.GetBytes("krate-kept-" + Guid.NewGuid().ToString("n")));

    public static bool IsSecret(KindDefinition kind) => kind is { Kind: "Secret", Group: "" };

    /// <summary>The live document with a placeholder for every value.</summary>
    public static JsonObject WithPlaceholders(Resource live)
    {
        var document = live.Edit();
        var keys = KeysOf(live.Body);
        if (keys.Count > 0) document["data"] = new JsonObject([.. keys.Select(k => KeyValuePair.Create(k.Key, (JsonNode?)Placeholder))]);
        return document;
    }

    /// <summary>For a replace: absent <c>data</c> or an absent key keeps its value.</summary>
    public static void KeepAbsentKeys(JsonObject document, Resource live)
    {
        foreach (var key in KeysOf(live.Body).Select(k => k.Key))
        {
            if (document["data"] is not JsonObject data) document["data"] = data = [];
            if (!data.ContainsKey(key) && (document["stringData"] as JsonObject)?.ContainsKey(key) != true) data[key] = Placeholder;
        }
    }

    /// <summary>stringData moves into data; the last-applied annotation, which repeats values in clear, goes.</summary>
    public static void Normalise(JsonObject document, KindDefinition kind)
    {
        (document.At("metadata.annotations") as JsonObject)?.Remove(WellKnown.LastAppliedAnnotation);
        if (document["stringData"] is JsonObject clear)
        {
            document.Remove("stringData");
            var data = document.Child("data");
            foreach (var (key, value) in clear)
            {
                data[key] = value is null ? null
                    : value is JsonValue v && v.TryGetValue<string>(out var text) ? Convert.ToBase64String(Encoding.UTF8.GetBytes(text))
                    : throw ApiException.Invalid(kind, document.Text("metadata.name") ?? "", new FieldError("FieldValueTypeInvalid", $"stringData.{key}", "must be a string"));
            }
        }

        document["type"] ??= "Opaque";
    }

    /// <summary>Makes an unchanged value equal to its placeholder again, so that a repeated apply is no change.</summary>
    public async Task SettleUnchangedAsync(JsonObject document, Resource live, CancellationToken ct)
    {
        if (document["data"] is not JsonObject data) return;
        var stored = await store.ReadSecretValuesAsync(live.Uid, ct);
        foreach (var key in data.Select(d => d.Key).ToList())
        {
            if (data[key] is JsonValue v && v.TryGetValue<string>(out var text) && text != Placeholder && stored.TryGetValue(key, out var cipher)
                && TryDecode(text) is { } bytes && vault.Matches(live.Uid, key, cipher, bytes))
                data[key] = Placeholder;
        }
    }

    /// <summary>Removes <c>data</c> from the document, writes the keys annotation and returns what the store has to set or remove.</summary>
    /// <exception cref="ApiException">422 for a value that is no base64, an illegal key or more than 1 MiB.</exception>
    public Dictionary<string, byte[]?> TakeValues(JsonObject document, Resource? live, string uid, KindDefinition kind)
    {
        var before = live is null ? [] : KeysOf(live.Body);
        var after = new SortedDictionary<string, KeyFacts>(StringComparer.Ordinal);
        var writes = new Dictionary<string, byte[]?>(StringComparer.Ordinal);
        var name = document.Text("metadata.name") ?? "";
        foreach (var (key, node) in document["data"] as JsonObject ?? [])
        {
            if (node is null) continue;
            if (node is not JsonValue v || !v.TryGetValue<string>(out var text)) throw ApiException.Invalid(kind, name, new FieldError("FieldValueTypeInvalid", $"data[{key}]", "must be a base64 string"));
            if (text == Placeholder)
            {
                if (before.TryGetValue(key, out var kept)) after[key] = kept;
                continue;
            }

            var bytes = TryDecode(text) ?? throw ApiException.Invalid(kind, name, new FieldError("FieldValueInvalid", $"data[{key}]", "must be base64; use stringData for plain text"));
            writes[key] = vault.Encrypt(uid, key, bytes);
            after[key] = new(bytes.Length, before.TryGetValue(key, out var old) ? old.Version + 1 : 1, Timestamps.Format(time.GetUtcNow()));
            CryptographicOperations.ZeroMemory(bytes);
        }

        foreach (var gone in before.Keys.Where(k => !after.ContainsKey(k))) writes[gone] = null;
        if (after.Values.Sum(v => v.Size) > MaxTotalBytes) throw ApiException.Invalid(kind, name, new FieldError("FieldValueTooLong", "data", "all values together may have 1 MiB"));
        document.Remove("data");
        WriteKeys(document, after);
        return writes;
    }

    private static void WriteKeys(JsonObject document, SortedDictionary<string, KeyFacts> keys)
    {
        var annotations = document.Child("metadata").Child("annotations");
        annotations.Remove(WellKnown.SecretKeysAnnotation);
        if (keys.Count > 0)
        {
            var map = new JsonObject();
            foreach (var (key, (size, version, changed)) in keys)
            {
                var facts = new JsonObject { ["size"] = size, ["version"] = version };
                if (changed is not null) facts["changed"] = changed;
                map[key] = facts;
            }

            annotations[WellKnown.SecretKeysAnnotation] = KrateJson.ToText(map);
        }

        if (annotations.Count == 0) document.Child("metadata").Remove("annotations");
    }

    private static Dictionary<string, KeyFacts> KeysOf(JsonObject body)
    {
        var keys = new Dictionary<string, KeyFacts>(StringComparer.Ordinal);
        if (new Resource(null!, body).Annotation(WellKnown.SecretKeysAnnotation) is not { } text) return keys;
        foreach (var (key, facts) in KrateJson.ParseObject(text))
            keys[key] = new(facts!["size"]!.GetValue<int>(), facts["version"]!.GetValue<int>(), facts.Text("changed"));
        return keys;
    }

    private static byte[]? TryDecode(string base64)
    {
        try
        {
            return Convert.FromBase64String(base64);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <param name="Changed">When the value was last another.</param>
    private sealed record KeyFacts(int Size, int Version, string? Changed);
}
