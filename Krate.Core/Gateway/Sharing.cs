using System.Globalization;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Gateway;

/// <summary>
/// What an organization lets another one refer to. It takes two: an OrgSharingPolicy, which the platform's administrators write, and
/// <c>spec.shares</c> of the Organization that shares, which is the word of its own people.
/// </summary>
internal static class Sharing
{
    /// <summary>Whether a policy is about this resource, whoever has agreed to it and whenever it ends.</summary>
    public static bool Names(Resource policy, string source, string target, string kind, string name) =>
        !policy.IsDeleting
        && policy.Body.Text("spec.sourceOrg") == source
        && policy.Body.Text("spec.targetOrg") == target
        && policy.Body.At("spec.allowedRefs") is JsonArray refs
        && refs.Any(r => r.Text("kind") == kind && r.Text("name") == name);

    /// <param name="source">The Organization that shares; null when there is none.</param>
    public static bool IsAgreed(Resource? source, string target, string kind, string name) =>
        source is { IsDeleting: false } && Shares(source.Body).Any(s => s.Text("targetOrg") == target && s.Text("kind") == kind && s.Text("name") == name);

    public static IEnumerable<JsonNode> Shares(JsonNode? organization) => (organization.At("spec.shares") as JsonArray ?? []).OfType<JsonNode>();

    public static DateTimeOffset? EndsAt(Resource policy) =>
        DateTimeOffset.TryParse(policy.Body.Text("spec.expiresAt"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var end) ? end : null;
}
