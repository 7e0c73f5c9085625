using System.Globalization;
using System.Text.Json.Nodes;

namespace Krate.Core.Resources;

/// <summary>
/// The path syntax of the table of kinds: dotted member names, each of which may step into a list. <c>spec.skillRefs[]</c> is
/// every element, <c>status.conditions[Ready].status</c> the element whose <c>type</c> is <c>Ready</c>.
/// </summary>
public static class FieldPath
{
    /// <summary>Every value at a path that is there and not null, with the path as a manifest's reader would write it (<c>spec.skillRefs[1]</c>).</summary>
    public static IEnumerable<(string Field, JsonNode Value)> Find(JsonNode? root, string path)
    {
        IEnumerable<(string Field, JsonNode Value)> found = root is null ? [] : [("", root)];
        foreach (var step in path.Split('.'))
        {
            var current = step;
            found = found.SelectMany(f => Step(f.Field, f.Value, current));
        }

        return found;
    }

    /// <summary>The path without its steps into lists: <c>spec.envFrom[].secretRef</c> is <c>spec.envFrom.secretRef</c>.</summary>
    public static string Plain(string path) => string.Join('.', path.Split('.').Select(s => Split(s).Name));

    /// <summary>The same path as kubectl's JSONPath, for the printer columns of a CRD.</summary>
    public static string ToJsonPath(string path) => string.Concat(path.Split('.').Select(step => Split(step) switch
    {
        (var name, null) => $".{name}",
        (var name, "") => $".{name}[*]",
        (var name, var type) => $".{name}[?(@.type==\"{type}\")]",
    }));

    private static IEnumerable<(string Field, JsonNode Value)> Step(string at, JsonNode node, string step)
    {
        var (name, element) = Split(step);
        if (node is not JsonObject o || o[name] is not { } value) yield break;
        var field = at.Length == 0 ? name : $"{at}.{name}";
        if (element is null)
        {
            yield return (field, value);
            yield break;
        }

        if (value is not JsonArray list) yield break;
        for (var i = 0; i < list.Count; i++)
        {
            if (list[i] is { } item && (element.Length == 0 || item.Text("type") == element))
                yield return (string.Create(CultureInfo.InvariantCulture, $"{field}[{i}]"), item);
        }
    }

    private static (string Name, string? Element) Split(string step)
    {
        var open = step.IndexOf('[', StringComparison.Ordinal);
        return open < 0 ? (step, null) : (step[..open], step[(open + 1)..^1]);
    }
}
