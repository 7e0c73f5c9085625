using System.Text.Json.Nodes;

namespace Krate.Core.Resources.Patching;

/// <summary>Field ownership as Kubernetes records it in <c>metadata.managedFields</c>.</summary>
public static class ManagedFields
{
    /// <summary>As Kubernetes: more managers that once updated are folded into one entry.</summary>
    private const int MaxUpdaters = 10;

    /// <summary>
    /// After a plain write: gives the leaves that differ between <paramref name="before"/> and <paramref name="after"/> to
    /// (<paramref name="manager"/>, Update, <paramref name="subresource"/>) and takes them from others. Changes <paramref name="after"/> in place.
    /// A write that changes nothing keeps every entry with its time. Entries that the writer itself changed in
    /// <paramref name="after"/> are taken as given; an empty list clears them, an absent one keeps those of <paramref name="before"/>.
    /// </summary>
    public static void TrackUpdate(JsonObject? before, JsonObject after, string manager, string subresource, DateTimeOffset now)
    {
        var metadata = after.Child("metadata");
        var owners = OwnersAfterWrite(before, metadata);
        var leaves = FieldSet.LeavesOf(after);
        var (changed, gone) = Compare(before is null ? [] : FieldSet.LeavesOf(before), leaves);
        if (changed.Count + gone.Count > 0)
        {
            foreach (var owner in owners)
            {
                owner.Forget(gone, leaves.Keys);
                if (!owner.Is(manager, FieldOwner.Update, subresource)) owner.Fields.ExceptWith(changed);
            }

            if (changed.Count > 0) Mine(owners, after, manager, subresource, now).Fields.UnionWith(changed);
        }

        FieldOwner.WriteAll(Fold(owners), metadata);
    }

    /// <summary>
    /// Leaves of <paramref name="after"/> that are new or different, and leaves of <paramref name="before"/> that are no longer there. An empty
    /// object that got members is still there: who asked for it keeps it.
    /// </summary>
    internal static (HashSet<OwnedField> Changed, HashSet<OwnedField> Gone) Compare(Dictionary<OwnedField, JsonNode?> before, Dictionary<OwnedField, JsonNode?> after)
    {
        var changed = after.Where(x => !before.TryGetValue(x.Key, out var was) || !JsonNode.DeepEquals(was, x.Value)).Select(x => x.Key).ToHashSet();
        var gone = before.Where(x => !after.ContainsKey(x.Key) && !(x.Value is JsonObject { Count: 0 } && after.Keys.Any(p => p.StartsWith(x.Key)))).Select(x => x.Key).ToHashSet();
        return (changed, gone);
    }

    private static List<FieldOwner> OwnersAfterWrite(JsonObject? before, JsonObject metadata)
    {
        var stored = before?["metadata"] as JsonObject ?? [];
        if (metadata["managedFields"] is not JsonArray given) return FieldOwner.ReadAll(stored) ?? [];
        return FieldOwner.ReadAll(metadata) ?? (given.All(e => e is JsonObject { Count: 0 }) ? [] : FieldOwner.ReadAll(stored) ?? []);
    }

    private static FieldOwner Mine(List<FieldOwner> owners, JsonObject after, string manager, string subresource, DateTimeOffset now)
    {
        var mine = owners.FirstOrDefault(o => o.Is(manager, FieldOwner.Update, subresource));
        if (mine is null)
        {
            mine = new FieldOwner(manager, FieldOwner.Update, subresource);
            owners.Add(mine);
        }

        mine.ApiVersion = after.Text("apiVersion") ?? "";
        mine.Time = Timestamps.Format(now);
        return mine;
    }

    private static List<FieldOwner> Fold(List<FieldOwner> owners)
    {
        var surplus = owners.Where(o => o is { Operation: FieldOwner.Update, Fields.Count: > 0 }).OrderByDescending(o => o.Time, StringComparer.Ordinal).Skip(MaxUpdaters).ToList();
        if (surplus.Count == 0) return owners;
        var ancient = new FieldOwner(FieldOwner.Ancient, FieldOwner.Update, "") { ApiVersion = surplus[0].ApiVersion, Time = surplus[0].Time };
        foreach (var old in surplus) ancient.Fields.UnionWith(old.Fields);
        return [ancient, .. owners.Except(surplus)];
    }
}

/// <summary>One entry of managedFields.</summary>
internal sealed class FieldOwner(string manager, string operation, string subresource)
{
    public const string Apply = "Apply";
    public const string Update = "Update";
    public const string Ancient = "ancient-changes";

    public string Manager { get; } = manager;

    public string Operation { get; } = operation;

    public string Subresource { get; } = subresource;

    public string ApiVersion { get; set; } = "";

    public string Time { get; set; } = "";

    public HashSet<OwnedField> Fields { get; private init; } = [];

    /// <summary>The entry as it was read; written back unchanged while nothing in it changes, so that a no-op stays one.</summary>
    private JsonObject? Original { get; init; }

    public bool Is(string manager, string operation, string subresource) => Manager == manager && Operation == operation && Subresource == subresource;

    /// <summary>Lets go of <paramref name="gone"/>, and of objects that were asked for empty and of which nothing is left among <paramref name="leaves"/>.</summary>
    public void Forget(HashSet<OwnedField> gone, IReadOnlyCollection<OwnedField> leaves) =>
        Fields.RemoveWhere(f => gone.Contains(f) || !(leaves.Contains(f) || leaves.Any(l => l.StartsWith(f))));

    /// <summary>As Kubernetes names a manager in a conflict.</summary>
    public string Describe()
    {
        var text = $"\"{Manager}\"";
        if (Subresource.Length > 0) text += $" with subresource \"{Subresource}\"";
        return Operation == Update ? $"{text} using {ApiVersion}" : text;
    }

    /// <summary>The entries of a metadata object, none when there are none; null when they are not valid entries.</summary>
    public static List<FieldOwner>? ReadAll(JsonObject metadata)
    {
        if (metadata["managedFields"] is not JsonArray entries) return [];
        var owners = new List<FieldOwner>();
        foreach (var node in entries)
        {
            if (node is not JsonObject entry || entry["fieldsV1"] is not JsonObject fields || entry.Text("operation") is not (Apply or Update)) return null;
            owners.Add(new FieldOwner(entry.Text("manager") ?? "", entry.Text("operation")!, entry.Text("subresource") ?? "")
            {
                ApiVersion = entry.Text("apiVersion") ?? "",
                Time = entry.Text("time") ?? "",
                Fields = FieldSet.Read(fields),
                Original = entry,
            });
        }

        return owners;
    }

    /// <summary>Replaces the entries of a metadata object; owners without a field are left out.</summary>
    public static void WriteAll(IEnumerable<FieldOwner> owners, JsonObject metadata)
    {
        var entries = new JsonArray([.. owners.Where(o => o.Fields.Count > 0).Select(o => (JsonNode)o.ToEntry())]);
        if (entries.Count == 0) metadata.Remove("managedFields");
        else if (!JsonNode.DeepEquals(metadata["managedFields"], entries)) metadata["managedFields"] = entries;
    }

    private JsonObject ToEntry()
    {
        if (Original is { } o && (o.Text("apiVersion") ?? "") == ApiVersion && (o.Text("time") ?? "") == Time && FieldSet.Read((JsonObject)o["fieldsV1"]!).SetEquals(Fields))
            return o.Copy();
        var entry = new JsonObject
        {
            ["apiVersion"] = ApiVersion,
            ["fieldsType"] = "FieldsV1",
            ["fieldsV1"] = FieldSet.Write(Fields),
            ["manager"] = Manager,
            ["operation"] = Operation,
        };
        if (Subresource.Length > 0) entry["subresource"] = Subresource;
        if (Time.Length > 0) entry["time"] = Time;
        return entry;
    }
}
