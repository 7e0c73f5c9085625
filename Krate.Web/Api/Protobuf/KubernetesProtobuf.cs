using System.Globalization;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Web.Api.Protobuf;

/// <summary>
/// Bodies in <c>application/vnd.kubernetes.protobuf</c>, which kubectl sends for the kinds it knows: an envelope with apiVersion
/// and kind around the message. Only reading; answers are JSON.
/// </summary>
internal static class KubernetesProtobuf
{
    /// <summary>The document, as the same object would look in JSON: zero values are left out.</summary>
    /// <exception cref="ApiException">400 for a broken message, 415 for a kind that is not in <see cref="ProtobufSchema"/>.</exception>
    public static JsonObject Decode(ReadOnlySpan<byte> body)
    {
        if (!body.StartsWith("k8s\0"u8)) throw ApiException.BadRequest("the body is no Kubernetes protobuf message: its first bytes are not k8s\\0");
        string apiVersion = "", kind = "", encoding = "";
        ReadOnlySpan<byte> raw = default;
        var envelope = new ProtobufReader(body[4..]);
        while (envelope.Read())
        {
            if (envelope is { Field: 1, IsDelimited: true }) (apiVersion, kind) = TypeMeta(envelope.Payload);
            else if (envelope is { Field: 2, IsDelimited: true }) raw = envelope.Payload;
            else if (envelope is { Field: 3, IsDelimited: true }) encoding = envelope.Text();
        }

        if (encoding.Length > 0) throw ApiException.BadRequest("an encoded protobuf envelope is not supported");
        var message = ProtobufSchema.Find(apiVersion, kind)
            ?? throw new ApiException(415, "UnsupportedMediaType", $"protobuf is not supported for {apiVersion} {kind}; send JSON");
        var document = new JsonObject { ["apiVersion"] = apiVersion, ["kind"] = kind };
        foreach (var (name, value) in Message(raw, message, 1).ToArray())
            document[name] = value?.DeepClone();
        return document;
    }

    private static (string ApiVersion, string Kind) TypeMeta(ReadOnlySpan<byte> bytes)
    {
        string apiVersion = "", kind = "";
        var reader = new ProtobufReader(bytes);
        while (reader.Read())
        {
            if (reader is { Field: 1, IsDelimited: true }) apiVersion = reader.Text();
            else if (reader is { Field: 2, IsDelimited: true }) kind = reader.Text();
        }

        return (apiVersion, kind);
    }

    private static JsonObject Message(ReadOnlySpan<byte> bytes, ProtobufMessage message, int depth)
    {
        if (depth > KrateJson.MaxDepth) throw ApiException.BadRequest($"the protobuf message is nested deeper than {KrateJson.MaxDepth} levels");
        var result = new JsonObject();
        var reader = new ProtobufReader(bytes);
        while (reader.Read())
        {
            if (!message.Fields.TryGetValue(reader.Field, out var field)) continue;
            if (reader.IsDelimited == field.Type is FieldType.Bool or FieldType.Integer or FieldType.Count) throw ProtobufReader.Broken();
            if (field.Type is FieldType.TextMap or FieldType.BytesMap or FieldType.ListMap) Entry(ref reader, field, result.Child(field.Name));
            else if (field.IsList) Append(result, field.Name, Value(ref reader, field, depth) ?? (field.Type == FieldType.Text ? "" : new JsonObject()));
            else if (Value(ref reader, field, depth) is { } value) result[field.Name] = value;
        }

        return result;
    }

    private static void Append(JsonObject result, string name, JsonNode value)
    {
        if (result[name] is not JsonArray list) result[name] = list = [];
        list.Add(value);
    }

    /// <summary>Null for a zero value, which JSON leaves out.</summary>
    private static JsonNode? Value(ref ProtobufReader reader, ProtobufField field, int depth) => field.Type switch
    {
        FieldType.Text => reader.Text() is { Length: > 0 } text ? text : null,
        FieldType.Bytes => Convert.ToBase64String(reader.Payload),
        FieldType.Bool => reader.Number != 0,
        FieldType.Integer => Number((long)reader.Number),
        FieldType.Count => reader.Number == 0 ? null : Number((long)reader.Number),
        FieldType.Time => Time(reader.Payload, "yyyy-MM-dd'T'HH:mm:ss'Z'"),
        FieldType.MicroTime => Time(reader.Payload, "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'"),
        FieldType.Fields => Fields(reader.Payload),
        _ => Message(reader.Payload, field.Message!, depth + 1) is { Count: > 0 } inner ? inner : null,
    };

    /// <summary>As a number of parsed JSON, so that it converts as one.</summary>
    private static JsonNode Number(long value) => JsonNode.Parse(value.ToString(CultureInfo.InvariantCulture))!;

    private static void Entry(ref ProtobufReader reader, ProtobufField field, JsonObject map)
    {
        var key = "";
        JsonNode value = field.Type == FieldType.ListMap ? new JsonArray() : "";
        var entry = new ProtobufReader(reader.Payload);
        while (entry.Read())
        {
            if (!entry.IsDelimited) throw ProtobufReader.Broken();
            if (entry.Field == 1) key = entry.Text();
            else if (entry.Field == 2) value = field.Type switch { FieldType.TextMap => entry.Text(), FieldType.BytesMap => Convert.ToBase64String(entry.Payload), _ => Items(entry.Payload) };
        }

        map[key] = value;
    }

    private static JsonArray Items(ReadOnlySpan<byte> payload)
    {
        var items = new JsonArray();
        var reader = new ProtobufReader(payload);
        while (reader.Read())
            if (reader is { Field: 1, IsDelimited: true }) items.Add(reader.Text());
        return items;
    }

    private static JsonNode? Time(ReadOnlySpan<byte> payload, string format)
    {
        if (payload.IsEmpty) return null;
        long seconds = 0, nanos = 0;
        var reader = new ProtobufReader(payload);
        while (reader.Read())
        {
            if (reader.Field == 1) seconds = (long)reader.Number;
            else if (reader.Field == 2) nanos = (long)reader.Number;
        }

        if (seconds is < -62135596800 or > 253402300799 || nanos is < 0 or > 999_999_999) throw ApiException.BadRequest("the protobuf message contains a time out of range");
        return DateTime.UnixEpoch.AddSeconds(seconds).AddTicks(nanos / 100).ToString(format, CultureInfo.InvariantCulture);
    }

    private static JsonObject? Fields(ReadOnlySpan<byte> payload)
    {
        var reader = new ProtobufReader(payload);
        while (reader.Read())
            if (reader is { Field: 1, IsDelimited: true }) return JsonBody.Parse(reader.Payload, []) as JsonObject;
        return null;
    }
}
