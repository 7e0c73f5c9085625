using System.Globalization;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Grants;

/// <summary>
/// Whether a grant holds, and if not why: from the metadata of what it names and the time, never from a value. A Deny holds by name, whether or
/// not anything of that name is there. Pure.
/// </summary>
/// <param name="granted">The Secret or ConfigMap; null when there is none.</param>
/// <param name="subject">Who or what the grant is for.</param>
internal sealed class GrantEvaluation(Resource grant, GrantTarget target, Resource? granted, GrantSubjectState subject, DateTimeOffset now)
{
    private const string SubjectReplaced = "GrantSubjectReplaced";
    private const string DenyByName = "DenyByName";
    public const string Expired = "GrantExpired";
    public const string RotationOverdue = "SecretRotationOverdue";

    private bool IsDeny => grant.Body.Text("spec.effect") == "Deny";

    private DateTimeOffset? ExpiresAt => Time(grant.Body.Text("spec.expiresAt"));

    /// <summary>All conditions in order, <c>Ready</c> last.</summary>
    public IReadOnlyList<Condition> Conditions()
    {
        List<Condition> all = [Exists(), Keys(), Subject(), Policy()];
        var problem = all.Find(c => c.Status == Condition.False);
        var warning = all.Find(c => c.Reason == RotationOverdue);
        return
        [
            .. all,
            problem is not null ? new(Condition.Ready, Condition.False, problem.Reason, problem.Message)
            : warning is not null ? new(Condition.Ready, Condition.True, warning.Reason, warning.Message)
            : new(Condition.Ready, Condition.True, "Ready", IsDeny ? $"{target.Kind} {target.NameIn(grant)} is denied." : $"{target.Kind} {target.NameIn(grant)} is granted."),
        ];
    }

    /// <summary><c>Ready</c>, <c>Blocked</c> or <c>Expired</c>.</summary>
    public static string Phase(Condition ready) => ready.Status == Condition.True ? "Ready" : ready.Reason == Expired ? "Expired" : "Blocked";

    /// <summary>When the clock alone changes the answer next; null when it does not.</summary>
    public DateTimeOffset? NextChange => new[] { ExpiresAt, OverdueAt }.Where(t => t > now).Min();

    /// <summary>Uids that the status remembers from now on; a Deny is for whatever has the name.</summary>
    public JsonObject Bound()
    {
        var bound = new JsonObject();
        if (IsDeny) return bound;
        Bind("boundSubjectUid", subject.Found);
        Bind(target.BoundField, granted);
        return bound;

        void Bind(string field, Resource? to)
        {
            if (to is not null && BoundTo(field) is null) bound[field] = to.Uid;
        }
    }

    private string? BoundTo(string field) => grant.Body.Text($"status.{field}") is { Length: > 0 } uid ? uid : null;

    private Condition Exists()
    {
        var named = $"{target.Kind} {grant.Namespace}/{target.NameIn(grant)}";
        if (IsDeny) return new(target.ExistsCondition, Condition.True, DenyByName, granted is null ? $"There is no {named}; one that comes is denied, too." : $"{named} exists.");
        if (granted is null) return new(target.ExistsCondition, Condition.False, $"{target.Kind}Missing", $"{named} does not exist.");
        return BoundTo(target.BoundField) is { } uid && uid != granted.Uid
            ? new(target.ExistsCondition, Condition.False, SubjectReplaced, $"The grant was made for another {named}; one of the same name inherits nothing. Delete the grant and make it anew.")
            : new(target.ExistsCondition, Condition.True, $"{target.Kind}Found", $"{named} exists.");
    }

    private Condition Keys()
    {
        const string Type = GrantConditions.KeysExist;
        var wanted = target.KeysIn(grant);
        if (IsDeny) return new(Type, Condition.True, DenyByName, wanted.Count == 0 ? "All keys are denied." : $"Denied: {string.Join(", ", wanted)}.");
        if (granted is null) return new(Type, Condition.Unknown, $"{target.Kind}Missing", $"There is no {target.Kind} to look for keys in.");
        var there = GrantedKeys.Of(granted).Select(k => k.Name).ToHashSet(StringComparer.Ordinal);
        var missing = wanted.Where(k => !there.Contains(k)).ToList();
        if (missing.Count > 0 || there.Count == 0)
            return new(Type, Condition.False, $"{target.Kind}KeyMissing", $"{target.Kind} {grant.Namespace}/{granted.Name} has no key{(missing.Count > 0 ? " " + string.Join(", ", missing) : "")}.");
        return new(Type, Condition.True, "KeysFound", wanted.Count == 0 ? $"All keys: {string.Join(", ", there.Order(StringComparer.Ordinal).Take(20))}{(there.Count > 20 ? " ..." : "")}." : $"{string.Join(", ", wanted)} {(wanted.Count == 1 ? "is" : "are")} there.");
    }

    private Condition Subject()
    {
        const string Type = GrantConditions.SubjectAuthorized;
        if (subject.Unknown is { } unknown) return new(Type, Condition.False, "SubjectKindUnknown", unknown);
        if (IsDeny) return new(Type, Condition.True, DenyByName, $"Every {subject.Words} is denied.");
        if (subject.Problem is { } problem) return new(Type, Condition.False, problem.Reason, problem.Message);
        return BoundTo("boundSubjectUid") is { } uid && uid != subject.Found!.Uid
            ? new(Type, Condition.False, SubjectReplaced, $"The grant was made for another {subject.Words}; one of the same name inherits nothing. Delete the grant and make it anew.")
            : new(Type, Condition.True, "SubjectFound", $"{subject.Words} exists.");
    }

    private Condition Policy()
    {
        const string Type = GrantConditions.PolicyAdmitted;
        if (ExpiresAt <= now) return new(Type, Condition.False, Expired, $"The grant ended at {grant.Body.Text("spec.expiresAt")}.");
        if (OverdueAt <= now) return new(Type, Condition.True, RotationOverdue, $"The value of Secret {grant.Namespace}/{target.NameIn(grant)} is older than {grant.Body.Whole("spec.rotationPolicy.maxAgeDays")} days; it still works. Write a new one.");
        return new(Type, Condition.True, "Admitted", ExpiresAt is null ? "The grant does not end by itself." : $"The grant ends at {grant.Body.Text("spec.expiresAt")}.");
    }

    /// <summary>When the oldest of the granted values becomes too old.</summary>
    private DateTimeOffset? OverdueAt
    {
        get
        {
            if (IsDeny || granted is null || grant.Body.Whole("spec.rotationPolicy.maxAgeDays") is not { } days) return null;
            var wanted = target.KeysIn(grant);
            var oldest = GrantedKeys.Of(granted).Where(k => wanted.Count == 0 || wanted.Contains(k.Name, StringComparer.Ordinal)).Select(k => k.ChangedAt ?? granted.CreatedAt).Min();
            return oldest?.AddDays(days);
        }
    }

    private static DateTimeOffset? Time(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
}

/// <summary>The keys of a Secret or ConfigMap, which are no secret.</summary>
/// <param name="ChangedAt">When the value was last another; null where nobody keeps that.</param>
public sealed record GrantedKeys(string Name, DateTimeOffset? ChangedAt)
{
    /// <summary>How often the value was set; null where nobody keeps that.</summary>
    public long? Version { get; init; }

    public static IEnumerable<GrantedKeys> Of(Resource granted)
    {
        if (granted.Kind.Kind != "Secret")
            return new[] { "data", "binaryData" }.SelectMany(f => granted.Body[f] as JsonObject ?? []).Select(k => new GrantedKeys(k.Key, null));
        var keys = granted.Annotation(WellKnown.SecretKeysAnnotation) is { } text ? KrateJson.ParseObject(text) : [];
        return keys.Select(k => new GrantedKeys(k.Key, DateTimeOffset.TryParse(k.Value.Text("changed"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null) { Version = k.Value.Whole("version") });
    }
}
