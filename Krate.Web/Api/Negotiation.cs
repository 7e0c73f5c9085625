using Krate.Core.Resources;

namespace Krate.Web.Api;

/// <summary>In which form a resource is answered.</summary>
internal enum Representation
{
    /// <summary>The document itself.</summary>
    Full,

    /// <summary>Rows for printing (<c>meta.k8s.io/v1 Table</c>).</summary>
    Table,

    /// <summary>Only the metadata (<c>meta.k8s.io/v1 PartialObjectMetadata</c>).</summary>
    Metadata,
}

/// <summary>What the Accept header asks for.</summary>
internal static class Negotiation
{
    private const string Discovery = "APIGroupDiscoveryList";

    /// <summary>The first of the accepted forms that Krate can answer; JSON when the header says nothing.</summary>
    /// <exception cref="ApiException">406.</exception>
    public static Representation RepresentationOf(HttpRequest request)
    {
        var accept = request.Headers.Accept.ToString();
        if (accept.Length == 0) return Representation.Full;
        foreach (var range in accept.Split(','))
        {
            var (type, parameters) = Parse(range);
            if (type is not ("application/json" or "application/*" or "*/*")) continue;
            if (!parameters.TryGetValue("as", out var form)) return Representation.Full;
            if (parameters.GetValueOrDefault("g") != "meta.k8s.io" || parameters.GetValueOrDefault("v") != "v1") continue;
            if (form == "Table") return Representation.Table;
            if (form is "PartialObjectMetadata" or "PartialObjectMetadataList") return Representation.Metadata;
        }

        throw new ApiException(406, "NotAcceptable", "only the following media types are accepted: application/json, application/json;as=Table;v=v1;g=meta.k8s.io, application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io");
    }

    /// <summary>The version of aggregated discovery that is asked for; null for the plain documents.</summary>
    public static string? DiscoveryVersionOf(HttpRequest request)
    {
        foreach (var range in request.Headers.Accept.ToString().Split(','))
        {
            var (type, parameters) = Parse(range);
            if (type != "application/json") continue;
            if (!parameters.TryGetValue("as", out var form)) return null;
            if (form == Discovery && parameters.GetValueOrDefault("v") is "v2" or "v2beta1") return parameters["v"];
        }

        return null;
    }

    /// <summary>The part of a Content-Type before its parameters.</summary>
    public static string ContentTypeOf(HttpRequest request) => Parse(request.ContentType ?? "").Type;

    private static (string Type, Dictionary<string, string> Parameters) Parse(string range)
    {
        var parts = range.Split(';');
        var parameters = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var part in parts[1..])
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0) parameters[part[..equals].Trim()] = part[(equals + 1)..].Trim().Trim('"');
        }

        return (parts[0].Trim().ToLowerInvariant(), parameters);
    }
}
