using System.Text.Json.Nodes;
using Krate.Core.Agents;
using Krate.Core.Resources;

namespace Krate.Core.Sessions;

/// <summary>Something that happened in a session, as it is kept: redacted, and counted from 1 without a gap.</summary>
/// <param name="Type">One of <see cref="AgentEventTypes"/>, or one that is not known.</param>
public sealed record SessionEvent(long Sequence, DateTimeOffset At, string Type, JsonObject Data)
{
    /// <summary>Nothing comes after it.</summary>
    public bool IsLast => Type == AgentEventTypes.Ended;

    public JsonObject ToJson() => new() { ["sequence"] = Sequence, ["at"] = Timestamps.Format(At), ["type"] = Type, ["data"] = Data.DeepClone() };

    internal static SessionEvent Read(JsonObject said) => new(said.Whole("sequence") ?? 0, DateTimeOffset.Parse(said.Text("at")!, System.Globalization.CultureInfo.InvariantCulture), said.Text("type") ?? "", said["data"] as JsonObject ?? []);
}
