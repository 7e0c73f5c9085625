using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Gateway;

/// <summary>Documents that Krate writes beside a change, in its commit. No admission completes them.</summary>
internal static class CompanionDocument
{
    /// <param name="owner">Goes with it when it is deleted; it is in the same organization.</param>
    /// <param name="repository">Of the repository label; null for none.</param>
    public static JsonObject Make(KindDefinition kind, string name, Resource owner, string? repository, JsonObject spec, JsonObject status, DateTimeOffset now)
    {
        var org = owner.Label(WellKnown.OrgLabel);
        var labels = new JsonObject { [WellKnown.OrgLabel] = org, [WellKnown.NamespaceLabel] = owner.Namespace };
        if (repository is { Length: > 0 }) labels[WellKnown.RepositoryLabel] = repository;
        spec["organizationRef"] = org;
        status["storage"] = kind.Storage;
        var document = new JsonObject
        {
            ["apiVersion"] = kind.ApiVersion,
            ["kind"] = kind.Kind,
            ["metadata"] = new JsonObject
            {
                ["name"] = name,
                ["namespace"] = owner.Namespace,
                ["uid"] = Guid.NewGuid().ToString(),
                ["creationTimestamp"] = Timestamps.Format(now),
                ["generation"] = 1L,
                ["labels"] = labels,
                ["ownerReferences"] = new JsonArray(OwnerReference.To(owner)),
            },
            ["spec"] = spec,
            ["status"] = status,
        };
        foreach (var derived in kind.DerivedLabels)
            if (derived.ValueFor(document) is { } value) labels[derived.Label] = value;
        return document;
    }

    /// <summary>A name of a kind that Krate names.</summary>
    public static string NewName(KindDefinition kind) => kind.NamePrefix + Ulid.NewUlid().ToString().ToLowerInvariant();
}
