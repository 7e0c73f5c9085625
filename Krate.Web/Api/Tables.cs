using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Web.Api;

/// <summary>What a row of a table carries beside its cells.</summary>
internal enum IncludeObject
{
    Metadata,
    None,
    Object,
}

/// <summary>Writes resources as <c>meta.k8s.io/v1 Table</c>: the name first, the kind's own columns, the age last.</summary>
internal sealed class Tables(TimeProvider time)
{
    private const string NameDescription = "Name must be unique within a namespace.";
    private const string AgeDescription = "How long ago the resource was created.";

    /// <exception cref="ApiException">400.</exception>
    public static IncludeObject IncludeOf(HttpRequest request) => RequestOptions.Text(request, "includeObject") switch
    {
        null or "Metadata" => IncludeObject.Metadata,
        "None" => IncludeObject.None,
        "Object" => IncludeObject.Object,
        var text => throw ApiException.BadRequest($"invalid includeObject: \"{text}\"; use None, Metadata or Object"),
    };

    /// <param name="columns">False in a watch after its first event: clients keep the columns they have.</param>
    public void Write(Utf8JsonWriter json, KindDefinition kind, IEnumerable<Resource> rows, ListMetadata metadata, IncludeObject include, bool columns = true)
    {
        json.WriteStartObject();
        json.WriteString("kind", "Table");
        json.WriteString("apiVersion", "meta.k8s.io/v1");
        metadata.Write(json);
        json.WriteStartArray("columnDefinitions");
        if (columns) WriteColumns(json, kind);
        json.WriteEndArray();
        json.WriteStartArray("rows");
        foreach (var resource in rows) WriteRow(json, resource, include);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    public static void WriteMetadataObject(Utf8JsonWriter json, Resource resource)
    {
        json.WriteStartObject();
        json.WriteString("kind", "PartialObjectMetadata");
        json.WriteString("apiVersion", "meta.k8s.io/v1");
        json.WritePropertyName("metadata");
        resource.Metadata.WriteTo(json);
        json.WriteEndObject();
    }

    private static bool HasAge(KindDefinition kind) => !kind.Columns.Any(c => c.Path == "metadata.creationTimestamp");

    private static void WriteColumns(Utf8JsonWriter json, KindDefinition kind)
    {
        Column("Name", "string", "name", NameDescription, 0);
        foreach (var column in kind.Columns) Column(column.Name, column.Type, "", column.Description, column.Wide ? 1 : 0);
        if (HasAge(kind)) Column("Age", "string", "", AgeDescription, 0);

        void Column(string name, string type, string format, string description, int priority)
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteString("type", type);
            json.WriteString("format", format);
            json.WriteString("description", description);
            json.WriteNumber("priority", priority);
            json.WriteEndObject();
        }
    }

    private void WriteRow(Utf8JsonWriter json, Resource resource, IncludeObject include)
    {
        json.WriteStartObject();
        json.WriteStartArray("cells");
        json.WriteStringValue(resource.Name);
        foreach (var column in resource.Kind.Columns) WriteCell(json, column, column.Read(resource.Body));
        if (HasAge(resource.Kind)) json.WriteStringValue(resource.CreatedAt is { } created ? HumanDuration.Of(time.GetUtcNow() - created) : "<unknown>");
        json.WriteEndArray();
        if (include != IncludeObject.None)
        {
            json.WritePropertyName("object");
            if (include == IncludeObject.Object) json.WriteRawValue(resource.Utf8.Span, skipInputValidation: true);
            else WriteMetadataObject(json, resource);
        }

        json.WriteEndObject();
    }

    private void WriteCell(Utf8JsonWriter json, KindColumn column, JsonNode? value)
    {
        if (value is null) json.WriteStringValue(column.Type == "date" ? "<unknown>" : "");
        else if (column.Type == "date" && DateTimeOffset.TryParse(value.ToString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)) json.WriteStringValue(HumanDuration.Of(time.GetUtcNow() - at));
        else if (value is JsonValue) value.WriteTo(json);
        else json.WriteStringValue(KrateJson.ToText(value));
    }
}

/// <summary><c>ListMeta</c>.</summary>
internal sealed record ListMetadata(string? Version = null, string? Continue = null, long? Remaining = null)
{
    public static ListMetadata Of(Krate.Core.Gateway.ResourceList list) => new(list.Version.ToString(CultureInfo.InvariantCulture), list.Continue, list.Remaining);

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject("metadata");
        if (Version is not null) json.WriteString("resourceVersion", Version);
        if (Continue is not null) json.WriteString("continue", Continue);
        if (Remaining is > 0 and var remaining) json.WriteNumber("remainingItemCount", remaining);
        json.WriteEndObject();
    }
}
