using Krate.Core.Resources;

namespace Krate.Web.Api;

/// <summary>What a path under <c>/api/v1</c> or <c>/apis/{group}/{version}</c> points at.</summary>
/// <param name="Namespace">Null for all namespaces; empty for a cluster-scoped kind.</param>
/// <param name="Name">Null for the collection.</param>
/// <param name="Subresource">Empty for the resource itself.</param>
internal sealed record KubernetesPath(KindDefinition Kind, string? Namespace, string? Name, string Subresource)
{
    /// <param name="rest">The path behind group and version, as the server decoded it.</param>
    /// <exception cref="ApiException">404 for what is not served, 400 for a segment that no name can have.</exception>
    public static KubernetesPath Parse(KindCatalog catalog, string group, string version, string rest)
    {
        var segments = rest.Trim('/').Split('/');
        foreach (var segment in segments) CheckSegment(segment);
        string? ns = null;
        // namespaces/{name} and its own subresources are the Namespace; anything longer is inside it.
        if (segments is ["namespaces", var within, var inside, ..] && !(group.Length == 0 && segments.Length == 3 && inside is "status" or "finalize"))
        {
            ns = within;
            segments = segments[2..];
        }

        var kind = catalog.FindPlural(group, segments[0]);
        if (kind is null || kind.Version != version || segments.Length > 3) throw NotServed();
        if (kind.IsNamespaced ? ns is null && segments.Length > 1 : ns is not null) throw NotServed();
        return new(kind, kind.IsNamespaced ? ns : "", segments.ElementAtOrDefault(1), segments.ElementAtOrDefault(2) ?? "");
    }

    public static ApiException NotServed() => new(404, "NotFound", "the server could not find the requested resource");

    /// <exception cref="ApiException">400 for what no name can be.</exception>
    public static string CheckSegment(string segment)
    {
        if (segment.Length == 0) throw NotServed();
        if (segment is "." or ".." || segment.Contains("%2f", StringComparison.OrdinalIgnoreCase) || segment.Any(c => char.IsControl(c) || c is '\\' or '%'))
            throw ApiException.BadRequest("a segment of the path has a character that no name can have");
        if (segment.Length > 253) throw ApiException.BadRequest("a segment of the path is longer than 253 characters");
        return segment;
    }
}
