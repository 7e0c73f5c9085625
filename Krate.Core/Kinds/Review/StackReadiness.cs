using Krate.Core.Kinds.Stacks;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Review;

/// <summary>The conditions of a stack from what a review of it found (spec 05, "Stack readiness"). Pure.</summary>
public static class StackReadiness
{
    public const string NoneRequired = "NoneRequired";

    /// <summary>Messages that one condition repeats; the stack's page shows all.</summary>
    private const int MostSaid = 10;

    /// <summary>All conditions in the order of the specification, <c>Ready</c> last.</summary>
    public static IReadOnlyList<Condition> Conditions(IReadOnlyList<Finding> findings)
    {
        var conditions = AgentStackConditions.All.Where(t => t != Condition.Ready).Select(t => Of(t, [.. findings.Where(f => f.Condition == t)])).ToList();
        return [.. conditions, Ready(conditions)];
    }

    /// <summary><c>Ready</c>, <c>Blocked</c>, <c>Degraded</c> (a server outside of Krate does not answer) or <c>Pending</c> (not everything is known).</summary>
    public static string Phase(Condition ready) => ready.Status switch
    {
        Condition.True => "Ready",
        Condition.False => ready.Reason == "McpProbeFailed" ? "Degraded" : "Blocked",
        _ => "Pending",
    };

    private static Condition Of(string type, IReadOnlyList<Finding> findings)
    {
        if (findings.Count == 0) return new(type, Condition.True, NoneRequired, "The stack needs nothing of this.");
        var blocking = findings.Where(f => f.IsBlocking).OrderByDescending(f => f.State).ToList();
        if (blocking.Count > 0) return new(type, Condition.False, blocking[0].Reason, Say(blocking));
        var unknown = findings.Where(f => f.State == FindingState.Unknown).ToList();
        if (unknown.Count > 0) return new(type, Condition.Unknown, unknown[0].Reason, Say(unknown));
        var warned = findings.Where(f => f.State is FindingState.Warning).ToList();
        return warned.Count > 0 ? new(type, Condition.True, warned[0].Reason, Say(warned)) : new(type, Condition.True, findings[0].Reason, Say(findings));
    }

    private static string Say(IReadOnlyList<Finding> findings)
    {
        var said = findings.Select(f => f.Message).Distinct(StringComparer.Ordinal).ToList();
        return string.Join(' ', said.Take(MostSaid)) + (said.Count > MostSaid ? $" And {said.Count - MostSaid} more." : "");
    }

    private static Condition Ready(IReadOnlyList<Condition> conditions)
    {
        var broken = conditions.Where(c => c.Status == Condition.False).ToList();
        if (broken.Count > 0) return new(Condition.Ready, Condition.False, broken[0].Reason, string.Join(' ', broken.Select(c => c.Message)));
        var open = conditions.Where(c => c.Status == Condition.Unknown).ToList();
        return open.Count > 0
            ? new(Condition.Ready, Condition.Unknown, open[0].Reason, $"Nothing is missing; not everything is known: {string.Join(", ", open.Select(c => c.Type))}.")
            : new(Condition.Ready, Condition.True, "Ready", "Everything the stack needs is there.");
    }
}
