using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Web.Components;

namespace Krate.Web.Features.Resources;

/// <summary>
/// A resource as somebody is writing it: the saved one, which may change meanwhile, with their edits on top. Each field of the spec is one; a field that
/// both have changed is a conflict until the person decides. Not thread-safe.
/// </summary>
public sealed class ResourceDraft
{
    private readonly SortedDictionary<string, (JsonNode? Base, JsonNode? Mine)> edits = new(StringComparer.Ordinal);
    private readonly string ns;
    private JsonObject saved;

    /// <param name="began">Null for a new one.</param>
    public ResourceDraft(KindDefinition kind, string ns, string? org, Resource? began)
    {
        (Kind, this.ns, Saved) = (kind, ns, began);
        saved = began?.Body["spec"] as JsonObject ?? (org is null ? [] : new JsonObject { ["organizationRef"] = org });
    }

    public KindDefinition Kind { get; }

    /// <summary>As it is saved now; null for a new one.</summary>
    public Resource? Saved { get; private set; }

    /// <summary>Of a new one.</summary>
    public string Name { get; set; } = "";

    public bool IsChanged => edits.Count > 0;

    /// <summary>Fields of the spec that this person has changed.</summary>
    public IReadOnlyCollection<string> Changed => edits.Keys;

    /// <summary>Fields that somebody else has changed since this person did.</summary>
    public IReadOnlyList<string> Conflicts => [.. edits.Where(e => !JsonNode.DeepEquals(e.Value.Base, saved[e.Key])).Select(e => e.Key)];

    /// <summary>The whole spec, edits included.</summary>
    public JsonObject Spec
    {
        get
        {
            var spec = saved.Copy();
            foreach (var (name, edit) in edits)
            {
                if (edit.Mine is null) spec.Remove(name);
                else spec[name] = edit.Mine.DeepClone();
            }

            return spec;
        }
    }

    /// <summary>The draft as a resource, for a review of it.</summary>
    public Resource Resource
    {
        get
        {
            var document = Saved?.Edit() ?? Document(Name);
            document["spec"] = Spec;
            return new Resource(Kind, document);
        }
    }

    public string Yaml => Krate.Core.Resources.Yaml.Write(Document(Saved?.Name ?? Name, Spec));

    public string? Text(string path) => Spec.Text(path);

    public IReadOnlyList<string> Texts(string path) => [.. Spec.Texts(path)];

    public bool Flag(string path) => Spec.Flag(path);

    /// <param name="path">Below the spec (<c>prompt.system</c>).</param>
    /// <param name="value">Null or an empty text takes the field away.</param>
    public void Set(string path, JsonNode? value)
    {
        var spec = Spec;
        if (value is null || value.Text() is { Length: 0 }) Remove(spec, path.Split('.'));
        else spec.Set(path, value);
        Keep(path.Split('.')[0], spec);
    }

    public void Choose(string path, string name, bool isChosen)
    {
        var names = Texts(path).Where(n => n != name);
        Set(path, new JsonArray([.. (isChosen ? names.Append(name) : names).Select(n => (JsonNode)n)]));
    }

    /// <summary>Takes the spec of a manifest as it was typed.</summary>
    /// <exception cref="ApiException">It is no YAML, or none of this kind and name.</exception>
    public void Take(string yaml)
    {
        var document = Krate.Core.Resources.Yaml.ParseObject(yaml);
        if (document.Text("kind") is { } other && other != Kind.Kind) throw ApiException.BadRequest($"kind: this is the form of {KindWords.One(Kind)}, not of {other}");
        if (document["spec"] is not JsonObject spec) throw ApiException.BadRequest("spec: is required");
        var name = document.Text("metadata.name") ?? "";
        if (Saved is null) Name = name;
        else if (name != Saved.Name) throw ApiException.BadRequest($"metadata.name: {KindWords.One(Kind)} keeps its name, {Saved.Name}");
        foreach (var field in saved.Select(f => f.Key).Concat(spec.Select(f => f.Key)).Concat(edits.Keys).Distinct().ToList()) Keep(field, spec);
    }

    /// <summary>What is saved has changed.</summary>
    public void Follow(Resource now)
    {
        (Saved, saved) = (now, now.Body["spec"] as JsonObject ?? []);
        foreach (var (field, edit) in edits.ToList())
            if (JsonNode.DeepEquals(edit.Mine, saved[field])) edits.Remove(field);
    }

    public void KeepMine(string field) => edits[field] = (saved[field]?.DeepClone(), edits[field].Mine);

    public void TakeTheirs(string field) => edits.Remove(field);

    public void Discard() => edits.Clear();

    /// <summary>What a save sends: only what this person has changed, and only onto the state that they see.</summary>
    public ResourceChange Change
    {
        get
        {
            if (Saved is null) return ResourceChange.Create(Kind, ns, Name.Trim(), Spec);
            var patch = new JsonObject();
            foreach (var (name, edit) in edits) patch[name] = Patch(saved[name], edit.Mine);
            var change = ResourceChange.Patch(Saved, patch);
            change.Document!["metadata"] = new JsonObject { ["resourceVersion"] = Saved.Metadata.Text("resourceVersion") };
            return change;
        }
    }

    private void Keep(string field, JsonObject spec)
    {
        if (JsonNode.DeepEquals(spec[field], saved[field])) edits.Remove(field);
        else edits[field] = (edits.TryGetValue(field, out var before) ? before.Base : saved[field]?.DeepClone(), spec[field]?.DeepClone());
    }

    /// <summary>A merge patch from one value to the other (RFC 7386).</summary>
    private static JsonNode? Patch(JsonNode? from, JsonNode? to)
    {
        if (from is not JsonObject before || to is not JsonObject after) return to?.DeepClone();
        var patch = new JsonObject();
        foreach (var key in before.Select(p => p.Key).Concat(after.Select(p => p.Key)).Distinct())
            if (!JsonNode.DeepEquals(before[key], after[key])) patch[key] = Patch(before[key], after[key]);
        return patch;
    }

    /// <summary>Takes a field away, and what is empty without it.</summary>
    internal static void Remove(JsonObject from, params string[] path)
    {
        if (path.Length == 1) from.Remove(path[0]);
        else if (from[path[0]] is JsonObject inner)
        {
            Remove(inner, path[1..]);
            if (inner.Count == 0) from.Remove(path[0]);
        }
    }

    private JsonObject Document(string name, JsonObject? spec = null)
    {
        var document = new JsonObject { ["apiVersion"] = Kind.ApiVersion, ["kind"] = Kind.Kind, ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = ns } };
        if (spec is not null) document["spec"] = spec;
        return document;
    }
}
