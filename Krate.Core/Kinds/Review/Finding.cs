using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Review;

/// <summary>How one thing that a stack needs stands (spec 05, step 8). From good to bad.</summary>
public enum FindingState
{
    Allowed,
    Warning,
    RequiresApproval,
    Unknown,
    Drifted,
    StaleGrant,
    MissingKey,
    MissingGrant,
    Blocked,
    Denied,
}

/// <summary>What a review found out about one thing.</summary>
/// <param name="Condition">The condition of the stack that it counts for; empty for what only a dispatch decides.</param>
/// <param name="Reason">Stable CamelCase code.</param>
/// <param name="Message">For people; names the exact thing.</param>
public sealed record Finding(string Condition, FindingState State, string Reason, string Message)
{
    /// <summary>The part of the stack that it is about.</summary>
    public CapabilityPart? Part { get; init; }

    /// <summary>The need that it answers; null for a part itself.</summary>
    public CapabilityNeed? Need { get; init; }

    /// <summary>Name of the grant or binding that decided.</summary>
    public string? Grant { get; init; }

    /// <summary>Who can mend it.</summary>
    public string Fixer { get; init; } = "";

    /// <summary>What would mend it with nothing to spare; null when no manifest alone does.</summary>
    public Suggestion? Suggestion { get; init; }

    public bool IsBlocking => State >= FindingState.Drifted;

    public static string NameOf(FindingState state) => state switch
    {
        FindingState.Allowed => "allowed",
        FindingState.Warning => "warning",
        FindingState.RequiresApproval => "requires-approval",
        FindingState.Unknown => "unknown",
        FindingState.Drifted => "drifted",
        FindingState.StaleGrant => "stale-grant",
        FindingState.MissingKey => "missing-key",
        FindingState.MissingGrant => "missing-grant",
        FindingState.Blocked => "blocked",
        _ => "denied",
    };
}

/// <summary>A resource that would mend a finding.</summary>
public sealed record Suggestion(string Kind, string Name, JsonObject Manifest)
{
    public string Yaml => YamlWriter.Write(Manifest);
}
