using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http.Features;

namespace Krate.Web.Features.Code;

/// <summary>
/// The address of the page as the client wrote it. Route values are unescaped in ways that cannot be undone ("100%25.txt"), so names
/// of files and branches are read from here. Scoped.
/// </summary>
public sealed class CodeAddress(NavigationManager navigation, IHttpContextAccessor request)
{
    /// <summary>Branch, tag or commit and the path, as <see cref="CodeUrls.RestOf"/>.</summary>
    /// <param name="renderer">Of the asking component.</param>
    public string Rest(RendererInfo renderer) => CodeUrls.RestOf(RawPath(renderer));

    /// <summary>The page: "tree", "blob", ...; empty for the repository itself.</summary>
    public string Page => ("/" + navigation.ToBaseRelativePath(navigation.Uri)).Split(['?', '#'], 2)[0].Split('/') is { Length: > 5 } parts ? parts[5] : "";

    private string RawPath(RendererInfo renderer)
    {
        // While prerendering, the navigation manager has only a decoded path, escaped again. In a circuit it has what the browser shows.
        var raw = renderer.IsInteractive ? null : request.HttpContext?.Features.Get<IHttpRequestFeature>()?.RawTarget;
        return raw is ['/', ..] ? raw : navigation.ToBaseRelativePath(navigation.Uri);
    }
}
