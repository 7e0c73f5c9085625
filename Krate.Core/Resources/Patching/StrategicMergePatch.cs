using System.Text.Json.Nodes;

namespace Krate.Core.Resources.Patching;

/// <summary>
/// Kubernetes' strategic merge patch for native kinds: a merge patch with directives, in which a few lists merge by element
/// instead of being replaced. Product kinds have no such lists and take it as a merge patch.
/// </summary>
public static class StrategicMergePatch
{
    private const string Directive = "$patch";
    private const string RetainKeys = "$retainKeys";
    private const string ElementOrder = "$setElementOrder/";
    private const string DeleteFromPrimitiveList = "$deleteFromPrimitiveList/";

    /// <summary>Lists that merge: by path, with the key of an element; an empty key is a set of plain values.</summary>
    private static readonly Dictionary<string, string> MergingLists = new(StringComparer.Ordinal)
    {
        ["metadata.finalizers"] = "",
        ["metadata.ownerReferences"] = "uid",
        ["imagePullSecrets"] = "name",
        ["secrets"] = "name",
        ["status.conditions"] = "type",
    };

    /// <exception cref="ApiException">422 for an unknown or misplaced directive.</exception>
    public static JsonObject Apply(JsonObject live, JsonObject patch, KindDefinition kind)
    {
        var merge = new Merge(kind, live.Text("metadata.name") ?? "");
        if (kind.IsProduct)
        {
            merge.RefuseDirectives(patch, "");
            return MergePatch.Apply(live, patch);
        }

        var result = live.Copy();
        return merge.Object(result, patch, "") ?? throw merge.Refuse(Directive, "the object itself cannot be deleted by a patch");
    }

    private sealed class Merge(KindDefinition kind, string name)
    {
        /// <summary>Merges in place; null means that the patch deletes the whole.</summary>
        public JsonObject? Object(JsonObject target, JsonObject patch, string path)
        {
            switch (patch.Text(Directive))
            {
                case "delete":
                    return null;
                case "replace":
                    return WithoutDirective(patch, path);
                case null when !patch.ContainsKey(Directive):
                case "merge":
                    break;
                default:
                    throw Refuse(At(path, Directive), "use merge, replace or delete");
            }

            CheckNames(patch, path);
            Retain(target, patch, path);
            foreach (var (field, value) in patch)
            {
                if (!field.StartsWith('$')) Field(target, field, value, At(path, field), patch);
            }

            foreach (var (field, value) in patch)
                if (field.StartsWith(DeleteFromPrimitiveList, StringComparison.Ordinal)) DeleteValues(target, field[DeleteFromPrimitiveList.Length..], value, path);
            foreach (var (field, value) in patch)
                if (field.StartsWith(ElementOrder, StringComparison.Ordinal)) Order(target, field[ElementOrder.Length..], value, path);
            return target;
        }

        public void RefuseDirectives(JsonNode? node, string path)
        {
            if (node is JsonArray list)
            {
                foreach (var item in list) RefuseDirectives(item, path);
            }
            else if (node is JsonObject o)
            {
                foreach (var (field, value) in o)
                {
                    if (IsDirective(field)) throw Refuse(At(path, field), "product kinds take a strategic merge patch as a plain merge patch, without directives");
                    RefuseDirectives(value, At(path, field));
                }
            }
        }

        public ApiException Refuse(string field, string why) =>
            ApiException.Invalid(kind, name, new FieldError("FieldValueInvalid", field, why));

        private void Field(JsonObject target, string field, JsonNode? value, string path, JsonObject patch)
        {
            switch (value)
            {
                case null:
                    target.Remove(field);
                    break;
                case JsonObject inner:
                    var merged = Object(target[field] as JsonObject ?? [], inner, path);
                    if (merged is null) target.Remove(field);
                    else if (!ReferenceEquals(merged, target[field])) target[field] = merged;
                    break;
                case JsonArray list when MergingLists.TryGetValue(path, out var key):
                    target[field] = key.Length == 0 ? Union(target[field] as JsonArray ?? [], list) : ByKey(target[field] as JsonArray ?? [], list, key, path);
                    break;
                case JsonArray list:
                    foreach (var item in list) RefuseUnknown(item, path);
                    target[field] = list.DeepClone();
                    break;
                default:
                    target[field] = value.DeepClone();
                    break;
            }
        }

        private static JsonArray Union(JsonArray live, JsonArray patch)
        {
            var result = (JsonArray)live.DeepClone();
            foreach (var value in patch)
                if (!result.Any(v => JsonNode.DeepEquals(v, value))) result.Add(value?.DeepClone());
            return result;
        }

        private JsonArray ByKey(JsonArray live, JsonArray patch, string key, string path)
        {
            // An element that is only the directive replaces the whole list by the other elements.
            var replaces = patch.OfType<JsonObject>().Any(e => e.Text(Directive) == "replace" && e.Count == 1);
            var result = replaces ? [] : (JsonArray)live.DeepClone();
            foreach (var node in patch)
            {
                if (node is not JsonObject element) throw Refuse(path, $"every element must be an object with {key}");
                if (replaces && element.Count == 1 && element.ContainsKey(Directive)) continue;
                var id = element.Text(key) ?? throw Refuse(path, $"every element must carry its merge key {key}");
                var at = IndexOf(result, key, id);
                var merged = Object(at < 0 ? [] : (JsonObject)result[at]!.DeepClone(), element, path);
                if (merged is null)
                {
                    if (at >= 0) result.RemoveAt(at);
                }
                else if (at < 0)
                {
                    result.Add(merged);
                }
                else
                {
                    result[at] = merged;
                }
            }

            return result;
        }

        private void DeleteValues(JsonObject target, string field, JsonNode? values, string path)
        {
            if (values is not JsonArray list || !MergingLists.TryGetValue(At(path, field), out var key) || key.Length > 0)
                throw Refuse(At(path, DeleteFromPrimitiveList + field), "it takes a list of values of a list that merges by value");
            if (target[field] is not JsonArray live) return;
            foreach (var value in list)
                live.RemoveAll(v => JsonNode.DeepEquals(v, value));
        }

        /// <summary>Elements named by the directive come in its order; the server's own keep their place behind the element they followed.</summary>
        private void Order(JsonObject target, string field, JsonNode? order, string path)
        {
            if (order is not JsonArray wanted || !MergingLists.TryGetValue(At(path, field), out var key))
                throw Refuse(At(path, ElementOrder + field), "it takes a list, for a list that merges by element");
            if (target[field] is not JsonArray live) return;
            string Id(JsonNode? e) => (key.Length == 0 ? e : e.At(key))?.ToJsonString() ?? "";
            var rank = wanted.Select(Id).Distinct(StringComparer.Ordinal).Select((id, i) => (id, i)).ToDictionary(x => x.id, x => x.i, StringComparer.Ordinal);
            var last = -1;
            var ranked = live.Select((element, i) =>
            {
                if (rank.TryGetValue(Id(element), out var r)) last = r;
                return (Element: element?.DeepClone(), Rank: last, Index: i);
            }).OrderBy(x => x.Rank).ThenBy(x => x.Index).Select(x => x.Element);
            target[field] = new JsonArray([.. ranked]);
        }

        private void Retain(JsonObject target, JsonObject patch, string path)
        {
            if (!patch.TryGetPropertyValue(RetainKeys, out var node)) return;
            if (node is not JsonArray) throw Refuse(At(path, RetainKeys), "it takes a list of field names");
            var keys = patch.Texts(RetainKeys).ToHashSet(StringComparer.Ordinal);
            if (patch.FirstOrDefault(p => !p.Key.StartsWith('$') && p.Value is not null && !keys.Contains(p.Key)).Key is { } stranger)
                throw Refuse(At(path, stranger), "a field of the patch must be in its $retainKeys");
            foreach (var gone in target.Select(p => p.Key).Where(k => !keys.Contains(k)).ToArray()) target.Remove(gone);
        }

        private JsonObject WithoutDirective(JsonObject patch, string path)
        {
            var copy = patch.Copy();
            copy.Remove(Directive);
            RefuseUnknown(copy, path);
            return copy;
        }

        /// <summary>Inside a value that replaces, directives have no meaning; stored they would do harm.</summary>
        private void RefuseUnknown(JsonNode? node, string path)
        {
            if (node is JsonArray list)
            {
                foreach (var item in list) RefuseUnknown(item, path);
            }
            else if (node is JsonObject o)
            {
                foreach (var (field, value) in o)
                {
                    if (field.StartsWith('$')) throw Refuse(At(path, field), "the directive has no meaning here");
                    RefuseUnknown(value, At(path, field));
                }
            }
        }

        private void CheckNames(JsonObject patch, string path)
        {
            foreach (var (field, _) in patch)
                if (field.StartsWith('$') && !IsDirective(field)) throw Refuse(At(path, field), "it is no directive of a strategic merge patch");
        }

        private static bool IsDirective(string field) =>
            field is Directive or RetainKeys || field.StartsWith(ElementOrder, StringComparison.Ordinal) || field.StartsWith(DeleteFromPrimitiveList, StringComparison.Ordinal);

        private static int IndexOf(JsonArray list, string key, string id)
        {
            for (var i = 0; i < list.Count; i++)
                if (list[i].Text(key) == id) return i;
            return -1;
        }

        private static string At(string path, string field) => path.Length == 0 ? field : $"{path}.{field}";
    }
}
