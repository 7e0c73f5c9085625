using Krate.Core.Agents;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Dispatch;

/// <summary>
/// Which hosts an agent may reach: those that its tool profile lists, and others where the profile has people asked (<c>approvalPolicyByTool.network:
/// prompt</c>). Work that somebody without the right to push has a hand in reaches none (spec 10, "Taint lowers capability"). Pure.
/// </summary>
public static class NetworkRules
{
    private const int Https = 443;

    /// <param name="profile">AgentToolProfile; null when the stack has none.</param>
    /// <param name="approvalMode">Of the stack: <c>prompt</c>, or <c>deny</c>.</param>
    public static ToolRuling Of(Resource? profile, string? approvalMode, bool isUntrusted, EgressRequest asked)
    {
        var name = asked.Port == Https ? asked.Host : $"{asked.Host}:{asked.Port}";
        if (isUntrusted) return new(ToolVerdict.Deny, "Untrusted work has no network.");
        if (profile?.Body.Texts("spec.networkPolicy.allowHosts").FirstOrDefault(h => Matches(h, asked)) is { } listed) return new(ToolVerdict.Allow, $"The tool profile lists {listed}.");
        return profile?.Body.Text("spec.approvalPolicyByTool.network") == "prompt" && approvalMode != "deny"
            ? new(ToolVerdict.Ask, $"The tool profile does not list {name}.")
            : new(ToolVerdict.Deny, $"The tool profile does not list {name} (spec.networkPolicy.allowHosts).");
    }

    /// <summary>By name, <c>*.</c> standing for one label; on the port of https, or the one that the profile names.</summary>
    private static bool Matches(string listed, EgressRequest asked)
    {
        var at = listed.LastIndexOf(':');
        var hasPort = at > listed.LastIndexOf(']');
        var (host, port) = hasPort ? (listed[..at], listed[(at + 1)..]) : (listed, "443");
        if (port != asked.Port.ToString(System.Globalization.CultureInfo.InvariantCulture)) return false;
        host = host.Trim('[', ']');
        if (!host.StartsWith("*.", StringComparison.Ordinal)) return host.Equals(asked.Host, StringComparison.OrdinalIgnoreCase);
        var dot = asked.Host.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && asked.Host[dot..].Equals(host[1..], StringComparison.OrdinalIgnoreCase);
    }
}
