using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.AspNetCore.CookiePolicy;

namespace Krate.Web.Hosting.Requests;

/// <summary>
/// Krate's cookies have one name inside and another on the wire: <c>__Host-krate</c> on https; <c>krate-5080</c> on http, because
/// browsers share cookies between the ports of a host.
/// </summary>
internal sealed class CookieNames(RequestDelegate next)
{
    public const string Session = "krate";
    public const string Antiforgery = "krate-af";
    public const string SignIn = "krate-signin";
    private static readonly string[] Ours = [Session, Antiforgery, SignIn];

    public Task InvokeAsync(HttpContext context)
    {
        if (context.Request.Cookies.Count > 0) context.Request.Cookies = new Renamed(context);
        return next(context);
    }

    public static CookiePolicyOptions Policy() => new()
    {
        HttpOnly = HttpOnlyPolicy.Always,
        Secure = CookieSecurePolicy.SameAsRequest,
        OnAppendCookie = c =>
        {
            if (Ours.Contains(c.CookieName)) c.CookieName = OnWire(c.Context, c.CookieName);
        },
        OnDeleteCookie = c =>
        {
            if (Ours.Contains(c.CookieName)) c.CookieName = OnWire(c.Context, c.CookieName);
        },
    };

    public static string OnWire(HttpContext context, string name) => context.Request.IsHttps
        ? "__Host-" + name
        : name + "-" + context.Connection.LocalPort.ToString(CultureInfo.InvariantCulture);

    private sealed class Renamed : IRequestCookieCollection
    {
        private readonly Dictionary<string, string> cookies;

        public Renamed(HttpContext context)
        {
            cookies = context.Request.Cookies.Where(c => !Ours.Contains(c.Key)).ToDictionary(c => c.Key, c => c.Value, StringComparer.Ordinal);
            foreach (var name in Ours)
                if (cookies.Remove(OnWire(context, name), out var value)) cookies[name] = value;
        }

        public int Count => cookies.Count;

        public ICollection<string> Keys => cookies.Keys;

        public string? this[string key] => cookies.GetValueOrDefault(key);

        public bool ContainsKey(string key) => cookies.ContainsKey(key);

        public bool TryGetValue(string key, [NotNullWhen(true)] out string? value) => cookies.TryGetValue(key, out value);

        public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => cookies.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
