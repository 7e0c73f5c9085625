using Krate.Core.Resources;

namespace Krate.Web.Components;

/// <summary>How something stands, as icon, word and colour. The one table of status words.</summary>
/// <param name="Tone">ok, run, warn, bad, idle or done: the colour tokens.</param>
public sealed record Status(string Word, string Tone, string Icon)
{
    public static readonly Status Ready = new("Ready", "ok", Lucide.CircleCheck);
    public static readonly Status Unknown = new("Unknown", "idle", Lucide.CircleHelp);
    public static readonly Status NotChecked = new("Not checked yet", "idle", Lucide.CircleDashed);
    public static readonly Status PartlyChecked = new("Not fully checked", "idle", Lucide.CircleDashed);
    public static readonly Status Deleting = new("Deleting", "idle", Lucide.Hourglass);

    private static readonly Dictionary<string, Status> Phases = new(StringComparer.OrdinalIgnoreCase)
    {
        ["pending"] = new("Pending", "idle", Lucide.Hourglass),
        ["queued"] = new("Queued", "idle", Lucide.Hourglass),
        ["running"] = new("Running", "run", Lucide.LoaderCircle),
        ["provisioning"] = new("Provisioning", "run", Lucide.LoaderCircle),
        ["waiting-for-approval"] = new("Needs approval", "warn", Lucide.Hand),
        ["paused"] = new("Paused", "idle", Lucide.CirclePause),
        ["succeeded"] = new("Completed", "ok", Lucide.CircleCheck),
        ["approved"] = new("Approved", "ok", Lucide.CircleCheck),
        ["accepted"] = new("Accepted", "ok", Lucide.CircleCheck),
        ["applied"] = new("Applied", "ok", Lucide.CircleCheck),
        ["active"] = new("Active", "ok", Lucide.CircleCheck),
        ["ready"] = Ready,
        ["open"] = new("Open", "ok", Lucide.CircleDot),
        ["merged"] = new("Merged", "done", Lucide.GitMerge),
        ["closed"] = new("Closed", "idle", Lucide.CircleSlash),
        ["failed"] = new("Failed", "bad", Lucide.CircleX),
        ["apply-failed"] = new("Apply failed", "bad", Lucide.CircleX),
        ["degraded"] = new("Degraded", "warn", Lucide.TriangleAlert),
        ["denied"] = new("Denied", "bad", Lucide.Ban),
        ["rejected"] = new("Rejected", "bad", Lucide.CircleX),
        ["missing"] = new("Missing", "bad", Lucide.CircleX),
        ["cancelled"] = new("Cancelled", "idle", Lucide.CircleSlash),
        ["superseded"] = new("Superseded", "idle", Lucide.History),
        ["expired"] = new("Expired", "idle", Lucide.Clock),
        ["archived"] = new("Archived", "idle", Lucide.Archive),
        ["idle"] = new("Idle", "idle", Lucide.CircleDashed),
        ["terminating"] = new("Terminating", "idle", Lucide.Hourglass),
        ["unknown"] = Unknown,
    };

    /// <summary>What a list and a page head say about a resource; null when its kind has nothing to say.</summary>
    public static Status? Of(Resource resource)
    {
        if (resource.IsDeleting) return Deleting;
        var conditions = resource.Conditions;
        if (conditions.FirstOrDefault(c => c.Type == Condition.Ready) is { } ready) return OfReadiness(ready, conditions);
        if (resource.Body.Text("status.phase") is { Length: > 0 } phase) return OfPhase(phase);
        return null;
    }

    /// <summary>Of conditions with <c>Ready</c> among them, saved or not.</summary>
    public static Status OfReadiness(IReadOnlyList<Condition> conditions) => conditions.FirstOrDefault(c => c.Type == Condition.Ready) is { } ready ? OfReadiness(ready, conditions) : NotChecked;

    public static Status OfPhase(string phase) => Phases.TryGetValue(phase, out var known) ? known : new(phase, "idle", Lucide.CircleDot);

    public static Status Of(Condition condition) => condition.Status switch
    {
        Condition.True => new("True", IsTrouble(condition) ? "warn" : "ok", IsTrouble(condition) ? Lucide.TriangleAlert : Lucide.CircleCheck),
        Condition.False => new("False", IsTrouble(condition) ? "idle" : "bad", IsTrouble(condition) ? Lucide.CircleCheck : Lucide.CircleX),
        _ => new("Unknown", "idle", condition.Reason == "NotEvaluated" ? Lucide.CircleDashed : Lucide.CircleHelp),
    };

    /// <summary>The conditions that keep a resource from being ready.</summary>
    public static IReadOnlyList<Condition> Blockers(Resource resource) =>
        [.. resource.Conditions.Where(c => c is { Status: Condition.False } && c.Type != Condition.Ready && !IsTrouble(c))];

    private static Status OfReadiness(Condition ready, IReadOnlyList<Condition> all)
    {
        if (ready.Status == Condition.True) return Ready;
        var missing = all.Count(c => c is { Status: Condition.False } && c.Type != Condition.Ready && !IsTrouble(c));
        if (ready.Status == Condition.False) return new(missing == 0 ? "Not ready" : $"Not ready, {missing} missing", "bad", Lucide.CircleX);
        if (missing > 0) return new($"Not ready, {missing} missing", "bad", Lucide.CircleX);
        return all.Any(c => c.Status == Condition.True) ? PartlyChecked : NotChecked;
    }

    /// <summary>Conditions that are bad when true.</summary>
    private static bool IsTrouble(Condition c) =>
        c.Type.EndsWith("Drifted", StringComparison.Ordinal) || c.Type.EndsWith("Failed", StringComparison.Ordinal) || c.Type.EndsWith("Pressure", StringComparison.Ordinal);
}
