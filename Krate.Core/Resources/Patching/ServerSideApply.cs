using System.Text.Json.Nodes;

namespace Krate.Core.Resources.Patching;

/// <summary>
/// Server-side apply: the caller says what it wants, owns exactly that, and what it no longer says goes, unless somebody
/// else owns it too. Maps are granular, lists atomic, conditions keyed by type.
/// </summary>
internal static class ServerSideApply
{
    public static JsonObject Apply(JsonObject? live, JsonObject config, KindDefinition kind, string manager, bool force, string subresource, DateTimeOffset now)
    {
        var name = config.Text("metadata.name") ?? live.Text("metadata.name") ?? "";
        Check(live, config, kind, name, manager);
        var wanted = WantedLeaves(config, kind, subresource);
        var merged = live?.Copy() ?? Identity(config);
        var owners = FieldOwner.ReadAll(merged.Child("metadata")) ?? [];
        // Of the document as it was: the other is written to below.
        var before = live is null ? [] : FieldSet.LeavesOf(live);
        var mine = owners.FirstOrDefault(o => o.Is(manager, FieldOwner.Apply, subresource));

        foreach (var (path, value) in wanted) Put(merged, path, value);
        RemoveDropped(merged, mine, wanted, owners);

        var leaves = FieldSet.LeavesOf(merged);
        var (changed, gone) = ManagedFields.Compare(before, leaves);
        var taken = changed.Concat(gone.Where(p => IsReplaced(p, wanted.Keys))).ToHashSet();
        var conflicts = owners.Where(o => o != mine).SelectMany(o => o.Fields.Where(taken.Contains).Order().Select(p => (Owner: o, Path: p))).ToList();
        if (conflicts.Count > 0 && !force) throw Refuse(conflicts, kind, name);

        foreach (var owner in owners.Where(o => o != mine))
        {
            owner.Forget(gone, leaves.Keys);
            owner.Fields.ExceptWith(conflicts.Where(c => c.Owner == owner).Select(c => c.Path));
        }

        Own(owners, mine, merged, kind, manager, subresource, wanted.Keys, changed.Count + gone.Count > 0, now);
        FieldOwner.WriteAll(owners, merged.Child("metadata"));
        return merged;
    }

    private static void Check(JsonObject? live, JsonObject config, KindDefinition kind, string name, string manager)
    {
        if (manager.Length == 0)
            throw new ApiException(422, "Invalid", "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch", [new("FieldValueRequired", "fieldManager", "Required value: is required for apply patch")]);
        if (config.At("metadata.managedFields") is JsonArray { Count: > 0 }) throw ApiException.BadRequest("metadata.managedFields must be nil");
        if (config["metadata"] is not (null or JsonObject)) throw ApiException.BadRequest("metadata must be an object");
        if (config.Text("metadata.resourceVersion") is { Length: > 0 } version && version != live.Text("metadata.resourceVersion")) throw ApiException.Conflict(kind, name);
        if (config.Text("metadata.uid") is { Length: > 0 } uid && uid != live.Text("metadata.uid"))
            throw ApiException.Conflict(kind, name, $"Precondition failed: UID in precondition: {uid}, UID in object meta: {live.Text("metadata.uid")}");
    }

    private static JsonObject Identity(JsonObject config)
    {
        var document = new JsonObject();
        foreach (var field in new[] { "apiVersion", "kind" })
            if (config[field] is { } value) document[field] = value.DeepClone();
        foreach (var field in new[] { "name", "namespace" })
            if (config.At($"metadata.{field}") is { } value) document.Child("metadata")[field] = value.DeepClone();
        return document;
    }

    /// <summary>What the configuration says, without nulls, and only the side (status or the rest) that the request is about.</summary>
    private static Dictionary<OwnedField, JsonNode?> WantedLeaves(JsonObject config, KindDefinition kind, string subresource)
    {
        var status = OwnedField.Root.Member("status");
        return FieldSet.LeavesOf(config)
            .Where(x => x.Value is not null || x.Key.Steps[^1] == OwnedField.Self)
            .Where(x => subresource == "status" ? x.Key.StartsWith(status) : !kind.HasStatus || !x.Key.StartsWith(status))
            .ToDictionary(x => x.Key, x => x.Value);
    }

    /// <summary>An empty object asks only that there be one.</summary>
    private static void Put(JsonObject merged, OwnedField path, JsonNode? value)
    {
        if (value is JsonObject { Count: 0 } && DocumentPath.Get(merged, path) is JsonObject) return;
        DocumentPath.Set(merged, path, value);
    }

    private static void RemoveDropped(JsonObject merged, FieldOwner? mine, Dictionary<OwnedField, JsonNode?> wanted, List<FieldOwner> owners)
    {
        if (mine is null) return;
        var kept = owners.Where(o => o != mine).SelectMany(o => o.Fields).Concat(wanted.Keys).ToList();
        var keptSet = kept.ToHashSet();
        // In order: an element goes as a whole before its members are looked for; its key stays as long as it does.
        foreach (var path in mine.Fields.Where(p => !keptSet.Contains(p) && !IsKey(p)).Order())
        {
            // A container stays while anybody owns something inside it; a leaf that became one is no longer ours to remove.
            var container = path.Steps[^1] == OwnedField.Self ? new OwnedField([.. path.Steps.Take(path.Steps.Count - 1)]) : path;
            if (!kept.Exists(k => k.StartsWith(container))) DocumentPath.Remove(merged, path, keptSet);
        }
    }

    private static bool IsKey(OwnedField path) =>
        path.Steps.Count > 1 && OwnedField.KeyOf(path.Steps[^2]) is { } key && path.Steps[^1] == "f:" + key.Name;

    /// <summary>A leaf that went because the configuration puts another shape in its place, and not because its owner dropped it.</summary>
    private static bool IsReplaced(OwnedField path, IEnumerable<OwnedField> wanted) =>
        path.Steps[^1] != OwnedField.Self && wanted.Any(w => path.StartsWith(w) || w.StartsWith(path));

    private static void Own(List<FieldOwner> owners, FieldOwner? mine, JsonObject merged, KindDefinition kind, string manager, string subresource, IEnumerable<OwnedField> wanted, bool differs, DateTimeOffset now)
    {
        var fields = wanted.ToHashSet();
        if (mine is null) owners.Add(mine = new FieldOwner(manager, FieldOwner.Apply, subresource));
        else if (!differs && mine.Fields.SetEquals(fields)) return;
        mine.Fields.Clear();
        mine.Fields.UnionWith(fields);
        mine.ApiVersion = merged.Text("apiVersion") ?? kind.ApiVersion;
        mine.Time = Timestamps.Format(now);
    }

    private static ApiException Refuse(List<(FieldOwner Owner, OwnedField Path)> conflicts, KindDefinition kind, string name)
    {
        var causes = conflicts.Select(c => new FieldError("FieldManagerConflict", c.Path.ToString(), $"conflict with {c.Owner.Describe()}")).ToArray();
        var text = conflicts.Count == 1
            ? $"1 conflict: {causes[0].Message}: {causes[0].Field}"
            : $"{conflicts.Count} conflicts: " + string.Join('\n', conflicts.GroupBy(c => c.Owner.Describe()).OrderBy(g => g.Key, StringComparer.Ordinal)
                .Select(g => $"conflicts with {g.Key}:\n" + string.Join('\n', g.Select(c => $"- {c.Path}"))));
        return new ApiException(409, "Conflict", $"Apply failed with {text}", causes);
    }
}
