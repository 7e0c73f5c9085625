using System.Text.Json.Nodes;

namespace Krate.Core.Generation;

/// <summary>Query parameters. They are shared by reference, except on the patch operation: kubectl looks there for the names.</summary>
internal static class OpenApiParameters
{
    private static readonly (string Name, string Type, string Text)[] Writing =
    [
        ("dryRun", "string", "All: everything but the commit."),
        ("fieldManager", "string", "Who owns the fields that are written."),
        ("fieldValidation", "string", "What becomes of unknown fields: Ignore, Warn or Strict."),
    ];

    private static readonly (string Name, string Type, string Text)[] Listing =
    [
        ("labelSelector", "string", "Only resources with these labels."),
        ("fieldSelector", "string", "Only resources with these fields."),
        ("limit", "integer", "Most resources of one page."),
        ("continue", "string", "Token of the page before."),
        ("resourceVersion", "string", "Version to read or to watch from."),
        ("resourceVersionMatch", "string", "How resourceVersion is meant."),
        ("watch", "boolean", "Stream changes instead of listing."),
        ("allowWatchBookmarks", "boolean", "Send BOOKMARK events."),
        ("sendInitialEvents", "boolean", "Begin a watch with what is there."),
        ("timeoutSeconds", "integer", "End the watch after so many seconds."),
    ];

    public static IEnumerable<JsonNode> Write => Writing.Select(p => Reference(p.Name));

    public static IEnumerable<JsonNode> Delete => Write.Take(1);

    public static IEnumerable<JsonNode> List => Listing.Select(p => Reference(p.Name));

    public static IEnumerable<JsonNode> Patch => Writing.Append(("force", "boolean", "Server-side apply: take fields over from other managers.")).Select(Parameter);

    public static JsonObject Components() => new(Writing.Concat(Listing).Select(p => KeyValuePair.Create(p.Name, (JsonNode?)Parameter(p))));

    private static JsonObject Reference(string name) => new() { ["$ref"] = $"#/components/parameters/{name}" };

    private static JsonObject Parameter((string Name, string Type, string Text) p) =>
        new() { ["name"] = p.Name, ["in"] = "query", ["description"] = p.Text, ["schema"] = new JsonObject { ["type"] = p.Type } };
}
