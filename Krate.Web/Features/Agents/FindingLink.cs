using Krate.Core.Kinds.Review;
using Krate.Core.Resources;

namespace Krate.Web.Features.Agents;

/// <summary>The page of what is wrong with a stack, or the form for what is missing.</summary>
public static class FindingLink
{
    /// <returns>Null where no page but the stack's own is about it.</returns>
    public static (string Url, string Label)? Of(Finding finding, Place place, KindCatalog catalog) => finding switch
    {
        { Reason: "SecretMissing" or "ConfigMapMissing", Need: { } need } => (New(place, catalog[need.Kind], need.Name), $"Create {need.Kind}"),
        { Reason: "SecretKeyMissing" or "ConfigMapKeyMissing", Need: { } need } => (place.Url(catalog[need.Kind], need.Name, "yaml"), $"Open {need.Kind}"),
        { Grant: { } grant, Need: { } need } => (place.Url(catalog[need.Kind == "Secret" ? "AgentSecretGrant" : "AgentConfigGrant"], grant), "Open grant"),
        { Part: { Found: null } part } when !part.Name.Contains('@', StringComparison.Ordinal) => (New(place, catalog[part.Kind], part.Name), $"Create {part.Kind}"),
        { Part: { Found: not null } part, Need: null } when part.Kind != "AgentStack" => (place.Url(catalog[part.Kind], part.Name), $"Open {part.Kind}"),
        _ => null,
    };

    private static string New(Place place, KindDefinition kind, string name) => $"{place.NewUrl(kind)}?name={Uri.EscapeDataString(name)}";
}
