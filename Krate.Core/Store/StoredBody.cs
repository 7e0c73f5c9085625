using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Store;

/// <summary>A document as it is stored, without metadata.resourceVersion, and the way from there to a resource and back.</summary>
internal static class StoredBody
{
    /// <summary>The text that is stored.</summary>
    public static string ToText(JsonObject body)
    {
        if (body["metadata"] is not JsonObject metadata) throw new ArgumentException("a document has metadata", nameof(body));
        if (!metadata.ContainsKey("resourceVersion")) return KrateJson.ToText(body);
        var copy = body.Copy();
        copy.Child("metadata").Remove("resourceVersion");
        return KrateJson.ToText(copy);
    }

    /// <summary>The resource at a version: the version is written into the text, nothing is parsed.</summary>
    public static Resource ToResource(KindDefinition kind, string ns, string name, long version, ReadOnlySpan<byte> text)
    {
        var (at, empty) = InsideMetadata(text);
        var insert = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"\"resourceVersion\":\"{version}\"{(empty ? "" : ",")}"));
        var utf8 = new byte[text.Length + insert.Length];
        text[..at].CopyTo(utf8);
        insert.CopyTo(utf8, at);
        text[at..].CopyTo(utf8.AsSpan(at + insert.Length));
        return Resource.Stored(kind, ns, name, version, utf8);
    }

    public static Resource ToResource(KindDefinition kind, string ns, string name, long version, string text) =>
        ToResource(kind, ns, name, version, Encoding.UTF8.GetBytes(text));

    /// <summary>The position behind the opening brace of the top-level metadata object.</summary>
    private static (int At, bool Empty) InsideMetadata(ReadOnlySpan<byte> text)
    {
        var reader = new Utf8JsonReader(text);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var found = reader.ValueTextEquals("metadata"u8);
            reader.Read();
            if (found && reader.TokenType == JsonTokenType.StartObject)
            {
                var at = (int)reader.BytesConsumed;
                reader.Read();
                return (at, reader.TokenType == JsonTokenType.EndObject);
            }

            reader.Skip();
        }

        throw new JsonException("a stored document has no metadata");
    }
}
