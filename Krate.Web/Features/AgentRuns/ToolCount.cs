using Krate.Core.Resources;

namespace Krate.Web.Features.AgentRuns;

/// <summary>How often an agent used a kind of tool, as its session says.</summary>
/// <param name="Kind">read, edit, execute ... in the words of the protocol.</param>
internal sealed record ToolCount(string Kind, int Calls, int Failed)
{
    public static int CallsOf(TranscriptModel? said) => said?.Items.Count(i => i.Kind == TranscriptKind.Tool) ?? 0;

    /// <summary>The most used first.</summary>
    public static IReadOnlyList<ToolCount> Of(TranscriptModel said) =>
        [.. said.Items.Where(i => i.Kind == TranscriptKind.Tool).GroupBy(i => i.Data.Text("kind") ?? "other").Select(g => new ToolCount(g.Key, g.Count(), g.Count(i => i.Data.Text("status") == "failed"))).OrderByDescending(c => c.Calls).ThenBy(c => c.Kind, StringComparer.Ordinal)];

    /// <summary>What it asked for and did not get.</summary>
    public static IReadOnlyList<TranscriptItem> Refused(TranscriptModel said) => [.. said.Items.Where(i => i.Kind == TranscriptKind.Question && i.Decision is { } decision && decision.Text("outcome") != "allowed")];
}
