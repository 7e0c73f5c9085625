using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Web.Api;

/// <summary>Writes resources and lists in the representation that the client asked for.</summary>
internal sealed class Answers(Tables tables)
{
    private const string TableType = "application/json;as=Table;v=v1;g=meta.k8s.io";
    private const string MetadataType = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
    private const string MetadataListType = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";

    /// <summary>Resources hold text that was validated on its way in; escaping only what JSON demands keeps it as it is stored.</summary>
    public static readonly JsonWriterOptions Writing = new() { Encoder = KrateJson.Options.Encoder, SkipValidation = true, MaxDepth = 2 * KrateJson.MaxDepth };

    public async Task WriteAsync(HttpContext context, Resource resource, int code = 200)
    {
        var form = Negotiation.RepresentationOf(context.Request);
        context.Response.StatusCode = code;
        if (form == Representation.Full)
        {
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = resource.Utf8.Length;
            await context.Response.Body.WriteAsync(resource.Utf8, context.RequestAborted);
            return;
        }

        var include = Tables.IncludeOf(context.Request);
        await WriteAsync(context, form == Representation.Table ? TableType : MetadataType, json =>
        {
            if (form == Representation.Table) tables.Write(json, resource.Kind, [resource], new ListMetadata(resource.Metadata.Text("resourceVersion")), include);
            else Tables.WriteMetadataObject(json, resource);
        });
    }

    public Task WriteAsync(HttpContext context, ResourceList list)
    {
        var metadata = ListMetadata.Of(list);
        switch (Negotiation.RepresentationOf(context.Request))
        {
            case Representation.Table:
                var include = Tables.IncludeOf(context.Request);
                return WriteAsync(context, TableType, json => tables.Write(json, list.Kind, list.Items, metadata, include));
            case Representation.Metadata:
                return WriteAsync(context, MetadataListType, json => WriteList(json, "PartialObjectMetadataList", "meta.k8s.io/v1", metadata, list.Items, Tables.WriteMetadataObject));
            default:
                return WriteAsync(context, "application/json", json => WriteList(json, list.Kind.Kind + "List", list.Kind.ApiVersion, metadata, list.Items, WriteFull));
        }
    }

    public static Task WriteAsync(HttpContext context, JsonObject document, int code = 200)
    {
        context.Response.StatusCode = code;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(KrateJson.ToText(document), Encoding.UTF8, context.RequestAborted);
    }

    /// <summary>One line of a watch: <c>{"type":...,"object":...}</c>.</summary>
    /// <param name="columns">Whether a table carries its columns: in the first line only.</param>
    public void WriteEvent(IBufferWriter<byte> output, KindDefinition kind, WatchEvent e, Representation form, IncludeObject include, bool columns)
    {
        var version = e.Version.ToString(CultureInfo.InvariantCulture);
        Line(output, TypeOf(e.Type), json =>
        {
            if (form == Representation.Table) tables.Write(json, kind, e.Resource is { } row ? [row] : [], new ListMetadata(version), include, columns);
            else if (e.Resource is null) WriteBookmark(json, kind, version, e.InitialEventsEnd, form);
            else if (form == Representation.Metadata) Tables.WriteMetadataObject(json, e.Resource);
            else WriteFull(json, e.Resource);
        });
    }

    public static void WriteError(IBufferWriter<byte> output, ApiException refusal) => Line(output, "ERROR", json => refusal.ToStatus().WriteTo(json));

    private static void Line(IBufferWriter<byte> output, string type, Action<Utf8JsonWriter> write)
    {
        using (var json = new Utf8JsonWriter(output, Writing))
        {
            json.WriteStartObject();
            json.WriteString("type", type);
            json.WritePropertyName("object");
            write(json);
            json.WriteEndObject();
        }

        output.Write("\n"u8);
    }

    private static string TypeOf(WatchEventType type) => type switch
    {
        WatchEventType.Added => "ADDED",
        WatchEventType.Modified => "MODIFIED",
        WatchEventType.Deleted => "DELETED",
        _ => "BOOKMARK",
    };

    private static void WriteBookmark(Utf8JsonWriter json, KindDefinition kind, string version, bool initialEventsEnd, Representation form)
    {
        json.WriteStartObject();
        json.WriteString("kind", form == Representation.Metadata ? "PartialObjectMetadata" : kind.Kind);
        json.WriteString("apiVersion", form == Representation.Metadata ? "meta.k8s.io/v1" : kind.ApiVersion);
        json.WriteStartObject("metadata");
        json.WriteString("resourceVersion", version);
        json.WriteNull("creationTimestamp");
        if (initialEventsEnd)
        {
            json.WriteStartObject("annotations");
            json.WriteString("k8s.io/initial-events-end", "true");
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteList(Utf8JsonWriter json, string kind, string apiVersion, ListMetadata metadata, IReadOnlyList<Resource> items, Action<Utf8JsonWriter, Resource> write)
    {
        json.WriteStartObject();
        json.WriteString("kind", kind);
        json.WriteString("apiVersion", apiVersion);
        metadata.Write(json);
        json.WriteStartArray("items");
        foreach (var item in items) write(json, item);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary><c>"items": [...]</c> from the texts that the resources already have.</summary>
    public static void WriteItems(Utf8JsonWriter json, IReadOnlyList<Resource> items)
    {
        json.WriteStartArray("items");
        foreach (var item in items) WriteFull(json, item);
        json.WriteEndArray();
    }

    private static void WriteFull(Utf8JsonWriter json, Resource resource) => json.WriteRawValue(resource.Utf8.Span, skipInputValidation: true);

    public static async Task WriteAsync(HttpContext context, string type, Action<Utf8JsonWriter> write)
    {
        context.Response.ContentType = type;
        using (var json = new Utf8JsonWriter(context.Response.BodyWriter, Writing)) write(json);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }
}
