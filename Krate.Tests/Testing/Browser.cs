using System.Net;
using System.Text.RegularExpressions;
using Xunit;

namespace Krate.Tests.Testing;

/// <summary>What a browser is to Krate, without its eyes: keeps cookies, says its Origin, fills in forms; shows redirects instead of following them.</summary>
public sealed partial class Browser(HttpClient client, CookieContainer cookies)
{
    public HttpClient Client { get; } = client;

    public IReadOnlyList<Cookie> Cookies => [.. cookies.GetCookies(Client.BaseAddress!).Cast<Cookie>()];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Presses the button on the sign-in page.</summary>
    public async Task<HttpResponseMessage> SignInAsync(string returnUrl = "/")
    {
        var form = await FormOfAsync("/signin?returnUrl=" + Uri.EscapeDataString(returnUrl));
        return await PostAsync("/signin/local", form, ("returnUrl", returnUrl));
    }

    /// <summary>Is known to another site by a cookie of that site.</summary>
    public void Keep(string site, string name, string value) => cookies.Add(new Uri(site), new Cookie(name, value));

    /// <summary>Where an address, of this site or another, sends the browser.</summary>
    public async Task<Uri> RedirectOfAsync(string url)
    {
        using var answer = await Client.GetAsync(new Uri(url, UriKind.RelativeOrAbsolute), Ct);
        return answer.Headers.Location ?? throw new InvalidOperationException($"{url} answers with {(int)answer.StatusCode} and no address: {await answer.Content.ReadAsStringAsync(Ct)}");
    }

    /// <summary>The antiforgery token in a page's first form.</summary>
    public async Task<string> FormOfAsync(string page) =>
        await FormOrNothingAsync(page) is { Length: > 0 } token ? token : throw new InvalidOperationException($"no form in {page}");

    /// <summary>As the other; empty for a page without a form.</summary>
    public async Task<string> FormOrNothingAsync(string page) =>
        Field().Match(await Client.GetStringAsync(new Uri(page, UriKind.Relative), Ct)) is { Success: true } found ? WebUtility.HtmlDecode(found.Groups[1].Value) : "";

    public Task<HttpResponseMessage> PostAsync(string path, string antiforgery, params (string Name, string Value)[] fields) =>
        Client.PostAsync(new Uri(path, UriKind.Relative), new FormUrlEncodedContent([new("__RequestVerificationToken", antiforgery), .. fields.Select(f => KeyValuePair.Create(f.Name, f.Value))]), Ct);

    [GeneratedRegex("name=\"__RequestVerificationToken\"[^>]*value=\"([^\"]+)\"")]
    private static partial Regex Field();
}
