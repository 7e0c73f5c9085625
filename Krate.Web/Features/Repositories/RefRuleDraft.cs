using System.Globalization;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Web.Features.Repositories;

/// <summary>What the form of a BranchProtection or a RefPolicy says. Holds no rule: the gateway judges what it makes.</summary>
public sealed class RefRuleDraft
{
    private static readonly char[] Separators = ['\n', '\r', ' ', ','];

    public string Name { get; set; } = "";

    /// <summary>Patterns, one a line.</summary>
    public string Refs { get; set; } = "";

    public bool RequirePullRequest { get; set; }

    public string RequiredApprovals { get; set; } = "";

    /// <summary>Names of checks, one a line.</summary>
    public string RequiredChecks { get; set; } = "";

    public bool AllowForcePush { get; set; }

    public bool AllowDeletion { get; set; }

    public bool DenyForcePush { get; set; }

    public bool DenyDeletion { get; set; }

    public bool RequireLinearHistory { get; set; }

    public bool RequireSignedCommits { get; set; }

    public string MaxFileBytes { get; set; } = "";

    public string Mode { get; set; } = "enforce";

    public IReadOnlyList<string> Patterns => [.. Refs.Split(Separators, StringSplitOptions.RemoveEmptyEntries)];

    public static RefRuleDraft NewProtection(string repository, string branch) =>
        new() { Name = $"{repository}-main", Refs = $"refs/heads/{branch}", RequirePullRequest = true, RequiredApprovals = "1" };

    public static RefRuleDraft NewPolicy(string repository) => new() { Name = $"{repository}-pushes", Refs = "refs/heads/**", DenyForcePush = true };

    public static RefRuleDraft Of(Resource rule)
    {
        var body = rule.Body;
        return new()
        {
            Name = rule.Name,
            Refs = string.Join('\n', body.Texts("spec.refs")),
            RequirePullRequest = body.Flag("spec.requirePullRequest"),
            RequiredApprovals = Number(body.Whole("spec.requiredApprovals")),
            RequiredChecks = string.Join('\n', body.Texts("spec.requiredChecks")),
            AllowForcePush = body.Flag("spec.allowForcePush"),
            AllowDeletion = body.Flag("spec.allowDeletion"),
            DenyForcePush = body.Flag("spec.denyForcePush"),
            DenyDeletion = body.Flag("spec.denyDeletion"),
            RequireLinearHistory = body.Flag("spec.requireLinearHistory"),
            RequireSignedCommits = body.Flag("spec.requireSignedCommits"),
            MaxFileBytes = Number(body.Whole("spec.maxFileBytes")),
            Mode = body.Text("spec.mode") ?? "enforce",
        };
    }

    /// <summary>The fields of the kind's spec; null for what is not said.</summary>
    public JsonObject ToSpec(bool isProtection)
    {
        var spec = new JsonObject { ["refs"] = Array(Patterns) };
        if (isProtection)
        {
            spec["requirePullRequest"] = RequirePullRequest;
            spec["requiredApprovals"] = Value(RequiredApprovals);
            var checks = RequiredChecks.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            spec["requiredChecks"] = checks.Length == 0 ? null : Array(checks);
            spec["allowForcePush"] = AllowForcePush;
            spec["allowDeletion"] = AllowDeletion;
            return spec;
        }

        spec["denyForcePush"] = DenyForcePush;
        spec["denyDeletion"] = DenyDeletion;
        spec["requireLinearHistory"] = RequireLinearHistory;
        spec["requireSignedCommits"] = RequireSignedCommits;
        spec["maxFileBytes"] = Value(MaxFileBytes);
        spec["mode"] = Mode;
        return spec;
    }

    private static JsonArray Array(IEnumerable<string> values) => [.. values.Select(v => (JsonNode)v)];

    private static string Number(long? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "";

    /// <summary>A number as such; anything else as it was typed, for the gateway to refuse by name.</summary>
    private static JsonNode? Value(string typed) =>
        typed.Trim() is not { Length: > 0 } text ? null : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : text;
}
