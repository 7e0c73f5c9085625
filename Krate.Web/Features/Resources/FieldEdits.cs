using System.Globalization;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Web.Features.Resources;

/// <summary>
/// What a person has typed into the fields of a form, on top of a resource that others may change meanwhile. Fields that nobody has touched
/// follow the resource. Not thread-safe.
/// </summary>
public sealed class FieldEdits(KindDefinition kind)
{
    private static readonly char[] Separators = [',', ' ', '\t', '\r', '\n'];
    private readonly SortedDictionary<string, (string Base, string Mine)> edits = new(StringComparer.Ordinal);

    /// <summary>As it is now; null for a new one.</summary>
    public Resource? Saved { get; set; }

    public bool IsChanged => edits.Any(e => e.Value.Mine.Trim() != SavedText(e.Key));

    /// <summary>Fields that somebody else has changed since this person did, and what they say now.</summary>
    public IReadOnlyList<(string Path, string Theirs)> Conflicts => [.. edits.Where(e => e.Value.Base != SavedText(e.Key) && e.Value.Mine.Trim() != SavedText(e.Key)).Select(e => (e.Key, SavedText(e.Key)))];

    /// <summary>The fields of the spec that this person has changed, and only these; null takes one away.</summary>
    public JsonObject Spec
    {
        get
        {
            var spec = new JsonObject();
            foreach (var (path, edit) in edits.Where(e => e.Value.Mine.Trim() != SavedText(e.Key)))
                if (ValueOf(path, edit.Mine.Trim()) is var value && (value is not null || Saved is not null)) spec.Set(path, value);
            return spec;
        }
    }

    /// <param name="path">Below the spec (<c>agentLimits.maxUsdPerRun</c>). Lists are words with commas between them.</param>
    public string Text(string path) => edits.TryGetValue(path, out var edit) ? edit.Mine : SavedText(path);

    public bool Flag(string path) => Text(path) == "true";

    public void Set(string path, string? text) => edits[path] = (edits.TryGetValue(path, out var edit) ? edit.Base : SavedText(path), text ?? "");

    public void Clear() => edits.Clear();

    private string SavedText(string path) => Saved?.Body.At("spec." + path) switch
    {
        null => "",
        JsonArray => string.Join(", ", Saved.Body.Texts("spec." + path)),
        var value => value.ToString(),
    };

    /// <summary>What cannot be read goes as it is: the server says what is wrong with it.</summary>
    private JsonNode? ValueOf(string path, string text) => (text.Length, kind.Fields.At("spec." + path)?.Type) switch
    {
        (0, _) => null,
        (_, SchemaType.Array) => new JsonArray([.. text.Split(Separators, StringSplitOptions.RemoveEmptyEntries).Select(t => (JsonNode)t)]),
        (_, SchemaType.Integer or SchemaType.Number) when decimal.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => JsonValue.Create(number),
        (_, SchemaType.Boolean) when bool.TryParse(text, out var flag) => JsonValue.Create(flag),
        _ => JsonValue.Create(text),
    };
}
