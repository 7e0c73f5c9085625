using System.Globalization;
using Krate.Core.Resources;
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

    private static string FirstLine(string? text) => Components.Code.ShownText.Of((text ?? "").Split('\n')[0], 80);
}
