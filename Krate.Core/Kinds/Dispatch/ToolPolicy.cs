using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Dispatch;

/// <summary>What policy says of a step that an agent asks for.</summary>
public enum ToolVerdict
{
    Allow,

    /// <summary>A person decides.</summary>
    Ask,

    Deny,
}

/// <param name="Reason">For people.</param>
public sealed record ToolRuling(ToolVerdict Verdict, string Reason);

/// <summary>
/// Decides what an agent's request for permission comes to, by its tool profile: what is not named is asked (spec 06, "Embedded host"). What an agent says
/// of its step is its word only: the sandbox is the wall, and this is who is asked. Pure.
/// </summary>
public static class ToolPolicy
{
    private const string AskPrivileged = "prompt-on-denied-or-privileged";

    /// <summary>Programs that reach beyond the files of the workspace.</summary>
    private static readonly string[] Privileged = ["sudo", "su", "doas", "chmod", "chown", "mount", "ssh", "scp", "curl", "wget", "nc", "docker", "podman", "kubectl", "git push", "npm publish"];

    private static readonly string[] Chained = ["&&", "||", ";", "|", "`", "$(", "\n", ">", "<", "&"];

    /// <param name="profile">AgentToolProfile; null when the stack has none.</param>
    /// <param name="approvalMode">Of the stack: <c>prompt</c>, or <c>deny</c>.</param>
    /// <param name="toolCall">What the agent says that it will do.</param>
    public static ToolRuling Of(Resource? profile, string? approvalMode, JsonObject toolCall)
    {
        var (tool, command) = (ClassOf(toolCall.Text("kind")), CommandOf(toolCall));
        if (profile?.Body.At("spec.nativeTools." + tool) is JsonValue on && on.TryGetValue<bool>(out var isOn) && !isOn) return new(ToolVerdict.Deny, $"The tool profile switches {tool} off.");
        if (toolCall.Text("kind") is "edit" or "delete" or "move" && profile?.Body.Text("spec.filesystemPolicy") is "no-fs" or "read-only") return new(ToolVerdict.Deny, "The tool profile gives files to read only.");
        var rule = (profile?.Body.At("spec.approvalPolicyByTool") as JsonObject).Text(tool);
        if (command is not null && profile?.Body.Texts("spec.deniedCommands").FirstOrDefault(d => Mentions(command, d)) is { } denied)
            return rule == AskPrivileged ? Asked($"The tool profile names the command {denied} as one to ask for.") : new(ToolVerdict.Deny, $"The tool profile refuses the command {denied}.");
        if (command is not null && profile?.Body.Texts("spec.allowedCommands").FirstOrDefault(a => IsExactly(command, a)) is { } allowed) return new(ToolVerdict.Allow, $"The tool profile allows the command {allowed}.");
        return rule switch
        {
            "allow" => new(ToolVerdict.Allow, $"The tool profile allows {tool}."),
            "deny" => new(ToolVerdict.Deny, $"The tool profile refuses {tool}."),
            "allow-workspace" when IsInWorkspace(toolCall) => new(ToolVerdict.Allow, $"The tool profile allows {tool} in the workspace."),
            AskPrivileged when (command is null ? IsInWorkspace(toolCall) : !Privileged.Any(p => Mentions(command, p))) => new(ToolVerdict.Allow, $"The tool profile allows {tool} without privileges."),
            null => Asked($"The tool profile says nothing of {tool}."),
            _ => Asked($"The tool profile asks a person for {tool}."),
        };

        ToolRuling Asked(string reason) => approvalMode == "deny" ? new(ToolVerdict.Deny, $"{reason} The stack refuses instead of asking.") : new(ToolVerdict.Ask, reason);
    }

    /// <summary>Classes of tools, by the names that profiles have for them; the protocol has kinds.</summary>
    private static string ClassOf(string? kind) => kind switch
    {
        "read" or "edit" or "delete" or "move" => "filesystem",
        "search" => "codeSearch",
        "execute" => "shell",
        "fetch" => "browser",
        _ => "other",
    };

    private static string? CommandOf(JsonObject toolCall) => toolCall.At("rawInput.command") switch
    {
        JsonArray words => string.Join(' ', words.Select(w => w.Text())),
        JsonValue => toolCall.Text("rawInput.command"),
        _ => null,
    };

    /// <summary>Word by word from the begin, and nothing behind it that a shell would make another command of.</summary>
    private static bool IsExactly(string command, string allowed) =>
        !Chained.Any(c => command.Contains(c, StringComparison.Ordinal)) && (command == allowed || command.StartsWith(allowed + " ", StringComparison.Ordinal));

    /// <summary>Anywhere in it: behind a semicolon, in a substitution.</summary>
    private static bool Mentions(string command, string denied)
    {
        for (var at = command.IndexOf(denied, StringComparison.Ordinal); at >= 0; at = command.IndexOf(denied, at + 1, StringComparison.Ordinal))
            if (IsEdge(command, at - 1) && IsEdge(command, at + denied.Length)) return true;
        return false;

        static bool IsEdge(string text, int at) => at < 0 || at >= text.Length || !(char.IsLetterOrDigit(text[at]) || text[at] is '-' or '_' or '.');
    }

    private static bool IsInWorkspace(JsonObject toolCall)
    {
        var paths = FieldPath.Find(toolCall, "locations[].path").Select(p => p.Value.Text()).Append(toolCall.Text("rawInput.file_path")).Append(toolCall.Text("rawInput.path")).OfType<string>().ToList();
        return paths.Count > 0 && paths.All(p => !p.Split('/').Contains("..") && (!p.StartsWith('/') || p.StartsWith(Agents.AgentLaunch.WorkspaceInside + "/", StringComparison.Ordinal)));
    }
}
