using System.Globalization;
using Krate.Core.Resources;
using Krate.Web.Components;
using Krate.Web.Features.Resources;

namespace Krate.Web.Features.AgentRuns;

/// <summary>What lists of agent runs show.</summary>
internal static class RunColumns
{
    public static IReadOnlyList<ListColumn> All { get; } =
    [
        new("Task", r => new(FirstLine(r.Body.Text("spec.task")) is { Length: > 0 } task ? task : r.Body.Text("spec.taskKind") ?? "", r.Body.Text("spec.repository"))),
        new("Stack", r => r.Body.Text("spec.agentStack") is { } stack ? new(stack) : null),
        new("About", r => (r.Body.At("status.breadcrumbs") as System.Text.Json.Nodes.JsonArray)?.LastOrDefault() is { } about ? new(about.Text("title") ?? "", about.Text("kind")) : null),
        new("By", r => r.Body.Text("status.startedBy") is { } who ? new(who) : null),
        new("Ended", r => r.Body.Text("status.terminalReason") is { } reason ? new(reason) : null),
        new("USD", r => r.Body.At("status.cost.usd") is { } usd ? new(decimal.Parse(usd.ToString(), CultureInfo.InvariantCulture).ToString("0.00", CultureInfo.InvariantCulture)) : null) { IsRight = true },
    ];

    /// <summary>Conversations lead to the runs that they belong to.</summary>
    public static IReadOnlyList<ListColumn> OfSessions(Place place, KindCatalog catalog) =>
    [
        new("Run", r => RunOf(r.Body.Text("spec.dispatchRun"), place, catalog)),
        new("Adapter", r => r.Body.Text("spec.adapter") is { } adapter ? new(adapter) : null),
        new("State", r => r.Body.Text("status.phase") is { } phase ? ListCell.Of(Status.OfPhase(phase)) : null),
        new("Workspace", r => r.Body.Text("spec.workspaceRef") is { } name ? new(name) { IsCode = true } : null),
    ];

    public static IReadOnlyList<ListColumn> OfWorkspaces(Place place, KindCatalog catalog) =>
    [
        new("Repository", r => r.Body.Text("spec.repository") is { } repository ? new(repository, r.Body.Text("spec.branch")) : null),
        new("Run", r => r.Body.Text("spec.ownership.kind") == "dispatch-run" ? RunOf(r.Body.Text("spec.ownership.name"), place, catalog) : null),
        new("State", r => r.Body.Text("status.lifecycle") is { } state ? new(state, r.Body.Flag("status.git.dirty") ? "changed" : null) : null),
        new("Trust", r => r.Body.Text("spec.trustTier") is { } tier ? new(tier) : null),
        new("Last activity", r => DateTimeOffset.TryParse(r.Body.Text("status.lastActivityTime"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? new("") { Time = at } : null) { IsRight = true },
    ];

    private static ListCell? RunOf(string? run, Place place, KindCatalog catalog) => run is { Length: > 0 } ? new(run) { IsCode = true, Url = place.Url(catalog["AgentDispatchRun"], run) } : null;

    private static string FirstLine(string? text) => Components.Code.ShownText.Of((text ?? "").Split('\n')[0], 80);
}
