using Krate.Core.Kinds.Grants;
using Krate.Core.Resources;
using Krate.Web.Components;

namespace Krate.Web.Features.Agents;

/// <summary>Who may get a role: an identity with the stacks that act as it, or a person, a group, a team, a pool.</summary>
/// <param name="Kind">As subjects spell it.</param>
/// <param name="Known">The AgentServiceAccount of an identity; null where there is none.</param>
public sealed record GridSubject(string Kind, string Name, IReadOnlyList<string> Stacks, string? Known);

/// <param name="Binding">AgentRoleBinding; null for a native binding that somebody made.</param>
public sealed record GridCell(Status Status, string Where, string? Binding);

/// <summary>Subjects by roles, as bindings say it. Pure.</summary>
public sealed class BindingGrid
{
    private readonly Dictionary<(GridSubject, string), List<GridCell>> cells = [];

    private BindingGrid(IReadOnlyList<GridSubject> subjects, IReadOnlyList<string> roles) => (Subjects, Roles) = (subjects, roles);

    public IReadOnlyList<GridSubject> Subjects { get; }

    public IReadOnlyList<string> Roles { get; }

    public IReadOnlyList<GridCell> this[GridSubject subject, string role] => cells.GetValueOrDefault((subject, role)) ?? [];

    /// <param name="shown">Stacks, identities, role bindings, and native roles and bindings that a person may see.</param>
    public static BindingGrid Of(string ns, IReadOnlyCollection<Resource> shown)
    {
        var bindings = shown.Where(r => r.Kind.Kind == "AgentRoleBinding").ToList();
        var subjects = SubjectsOf(shown, bindings);
        var native = subjects.Where(s => s.Kind == ServiceAccount).SelectMany(s => HeldRoles.Of(ns, s.Name, shown).Where(h => h.Owner is null && h.Group is null).Select(h => (Subject: s, Held: h))).ToList();
        var roles = bindings.Select(b => b.Body.Text("spec.roleRef.name") ?? "").Concat(native.Select(n => n.Held.Role.Name)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        var grid = new BindingGrid(subjects, roles);
        foreach (var binding in bindings)
            if (subjects.FirstOrDefault(s => (s.Kind, s.Name) == SubjectOf(binding, shown)) is { } subject)
                grid.Add(subject, binding.Body.Text("spec.roleRef.name") ?? "", new(StatusOf(binding), binding.Body.Text("spec.scope.name") is { Length: > 0 } place ? place : "everywhere", binding.Name));
        foreach (var (subject, held) in native) grid.Add(subject, held.Role.Name, new(new("Bound", "ok", Lucide.CircleCheck), held.IsClusterWide ? "everywhere, by hand" : "by hand", null));
        return grid;
    }

    /// <summary>How a role binding stands, in the words of the grid.</summary>
    public static Status StatusOf(Resource binding) =>
        binding.FindCondition(AgentRoleBindingKind.EscalationAdmitted) is { Status: Condition.False } refused
            ? refused.Reason == "AdminApprovalRequired" ? new("Requested", "warn", Lucide.Hand) : new("Escalation, blocked", "bad", Lucide.ShieldAlert)
        : IsDrifted(binding) ? new("Drifted", "warn", Lucide.TriangleAlert)
        : binding.FindCondition(Condition.Ready)?.Status switch { Condition.True => new("Bound", "ok", Lucide.CircleCheck), Condition.False => new("Not given", "bad", Lucide.CircleX), _ => Status.NotChecked };

    public static bool IsDrifted(Resource binding) => binding.FindCondition(AgentRoleBindingKind.NativeBindingDrifted) is { Status: Condition.True };

    private const string ServiceAccount = "service-account";

    private static List<GridSubject> SubjectsOf(IReadOnlyCollection<Resource> shown, List<Resource> bindings)
    {
        var stacks = shown.Where(r => r.Kind.Kind == "AgentStack").ToLookup(s => s.Body.Text("spec.runtimeIdentity.serviceAccountRef") ?? "", s => s.Name, StringComparer.Ordinal);
        var known = shown.Where(r => r.Kind.Kind == "AgentServiceAccount").GroupBy(r => r.Body.Text("spec.serviceAccountName") ?? r.Name, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.First().Name, StringComparer.Ordinal);
        var all = bindings.Select(b => SubjectOf(b, shown)).Concat(stacks.Select(s => s.Key).Concat(known.Keys).Where(n => n.Length > 0).Select(n => (ServiceAccount, n))).Distinct();
        return [.. all.Select(s => s.Item1 == ServiceAccount ? new GridSubject(s.Item1, s.Item2, [.. stacks[s.Item2].Order(StringComparer.Ordinal)], known.GetValueOrDefault(s.Item2)) : new(s.Item1, s.Item2, [], null))
            .OrderBy(s => s.Kind != ServiceAccount).ThenBy(s => s.Kind, StringComparer.Ordinal).ThenBy(s => s.Name, StringComparer.Ordinal)];
    }

    /// <summary>A stack is its identity.</summary>
    private static (string, string) SubjectOf(Resource binding, IReadOnlyCollection<Resource> shown)
    {
        var (kind, name) = (binding.Body.Text("spec.subject.kind") ?? "", binding.Body.Text("spec.subject.name") ?? "");
        if (kind is not ("agent-stack" or ServiceAccount)) return (kind, name);
        var account = binding.Body.Text("spec.subject.serviceAccountRef") is { Length: > 0 } given ? given
            : kind == ServiceAccount ? name : shown.FirstOrDefault(r => r.Kind.Kind == "AgentStack" && r.Name == name)?.Body.Text("spec.runtimeIdentity.serviceAccountRef");
        return account is null ? (kind, name) : (ServiceAccount, account);
    }

    private void Add(GridSubject subject, string role, GridCell cell)
    {
        if (!cells.TryGetValue((subject, role), out var list)) cells[(subject, role)] = list = [];
        list.Add(cell);
    }
}
