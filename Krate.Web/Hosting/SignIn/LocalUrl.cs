namespace Krate.Web.Hosting.SignIn;

/// <summary>Keeps a redirect on this site.</summary>
public static class LocalUrl
{
    /// <summary>The path when it is one of this site, else <c>/</c>. <c>//host</c>, <c>/\host</c> and control characters lead elsewhere.</summary>
    public static string OrHome(string? url) => IsLocal(url) ? url! : "/";

    /// <returns>Null for what is not one of this site.</returns>
    public static string? Of(string? url) => IsLocal(url) ? url : null;

    private static bool IsLocal(string? url)
    {
        if (url is null || url.Length is 0 or > 2000 || url[0] != '/') return false;
        if (url.Length > 1 && url[1] == '/') return false;
        return !url.Any(c => char.IsControl(c) || c == '\\');
    }
}
