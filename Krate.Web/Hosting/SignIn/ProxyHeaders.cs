using System.Net;
using Krate.Core.Kinds.SignIn;
using Krate.Core.Resources;

namespace Krate.Web.Hosting.SignIn;

/// <summary>Who a proxy says that somebody is. Believed on connections from its own addresses only; what a header says of other addresses never counts.</summary>
internal static class ProxyHeaders
{
    /// <exception cref="ApiException">403 for a connection from elsewhere, or one whose headers do not name one person.</exception>
    public static ProviderProfile Read(HttpContext context, AuthProviderSpec spec)
    {
        if (!IsProxy(context.Connection.RemoteIpAddress, spec)) throw ApiException.Forbidden("This way to sign in works through the proxy of your organization only");
        var user = One(context, spec.UserHeader!) ?? throw ApiException.Forbidden($"The proxy does not say who you are ({spec.UserHeader})");
        var email = spec.EmailHeader is null ? null : One(context, spec.EmailHeader);
        var groups = spec.GroupsHeader is null ? [] : context.Request.Headers[spec.GroupsHeader].SelectMany(v => (v ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        return new ProviderProfile(user, user) { VerifiedEmails = email is null ? [] : [email], Groups = [.. groups] }.Admitted(spec);
    }

    private static bool IsProxy(IPAddress? address, AuthProviderSpec spec)
    {
        if (address is null) return false;
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return (spec.TrustedProxies ?? []).Any(n => IPNetwork.TryParse(n, out var network) && network.Contains(plain));
    }

    /// <summary>A header that came twice may be one that the proxy did not set.</summary>
    private static string? One(HttpContext context, string name)
    {
        var values = context.Request.Headers[name];
        if (values.Count > 1) throw ApiException.Forbidden($"The header {name} came more than once");
        return values.ToString().Trim() is { Length: > 0 } value ? value : null;
    }
}
