using Krate.Core.Kinds.Review;
using Krate.Core.Resources;

namespace Krate.Web.Features.Agents;

/// <summary>The page of what is wrong with a stack, or the form for what is missing.</summary>
public static class FindingLink
{
    /// <returns>Null where no page but the stack's own is about it.</returns>
    /// <param name="back">Where the form leads when it is done; null: to what it made.</param>
    public static (string Url, string Label)? Of(Finding finding, Place place, KindCatalog catalog, string? back = null) => finding switch
    {
        { Reason: "SecretMissing", Need: { } need } => ($"{New(place, catalog[need.Kind], need.Name)}&key={Uri.EscapeDataString(need.Key ?? "")}{(back is null ? "" : $"&back={Uri.EscapeDataString(back)}")}", $"Create {need.Kind}"),
        { Reason: "ConfigMapMissing", Need: { } need } => (New(place, catalog[need.Kind], need.Name), $"Create {need.Kind}"),
        { Reason: "SecretKeyMissing" or "ConfigMapKeyMissing", Need: { } need } => (place.Url(catalog[need.Kind], need.Name, need.Kind == "Secret" ? null : "yaml"), $"Open {need.Kind}"),
        { Grant: { } grant, Need: { } need } => (place.Url(catalog[need.Kind == "Secret" ? "AgentSecretGrant" : "AgentConfigGrant"], grant), "Open grant"),
        { Part: { Found: null } part } when !part.Name.Contains('@', StringComparison.Ordinal) => (New(place, catalog[part.Kind], part.Name), $"Create {part.Kind}"),
        { Part: { Found: not null } part, Need: null } when part.Kind != "AgentStack" => (place.Url(catalog[part.Kind], part.Name), $"Open {part.Kind}"),
        _ => null,
    };

    private static string New(Place place, KindDefinition kind, string name) => $"{place.NewUrl(kind)}?name={Uri.EscapeDataString(name)}";
}
