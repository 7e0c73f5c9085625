using System.Collections.Concurrent;
using System.Security.Claims;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenIddict.Abstractions;
using OpenIddict.Server;
using OpenIddict.Server.AspNetCore;
using static OpenIddict.Abstractions.OpenIddictConstants;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace Krate.Tests.Testing;

/// <summary>Somebody who has an account at the provider.</summary>
public sealed record ProviderPerson(string Subject, string Login)
{
    public string? Email { get; init; }

    public bool EmailVerified { get; init; } = true;

    public string[] Groups { get; init; } = [];
}

/// <summary>
/// A real OpenID Connect provider (OpenIddict) on a free loopback port. A browser is signed in there by the cookie <c>person</c>. Its
/// access tokens also open an API of the shape of GitHub's. It can be made to sign what it should not.
/// </summary>
public sealed class IdentityProvider : IAsyncDisposable
{
    public const string ClientId = "krate";
    public const string ClientSecret = "a-secret-of-the-client-0123456789";
    private readonly WebApplication app;

    private IdentityProvider(WebApplication app) => this.app = app;

    public ConcurrentDictionary<string, ProviderPerson> People { get; } = new(StringComparer.Ordinal);

    /// <summary>Changes an ID token before it is signed.</summary>
    public Action<Dictionary<string, object>, Microsoft.IdentityModel.Tokens.SecurityTokenDescriptor>? Mischief { get; set; }

    public string Url => app.Urls.First();

    public static async Task<IdentityProvider> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        IdentityProvider? provider = null;
        builder.Services.AddOpenIddict().AddServer(options => Configure(options, () => provider!));
        provider = new(builder.Build());
        provider.app.UseRouting();
        provider.app.UseAuthentication();
        provider.MapApi();
        await provider.app.StartAsync();
        return provider;
    }

    public async ValueTask DisposeAsync() => await app.DisposeAsync();

    private static void Configure(OpenIddictServerBuilder options, Func<IdentityProvider> provider)
    {
        // Who its clients are is said here; it needs no database for that.
        options.EnableDegradedMode();
        options.SetAuthorizationEndpointUris("/authorize").SetTokenEndpointUris("/token").SetUserInfoEndpointUris("/userinfo", "/user", "/user/emails", "/user/orgs");
        options.AllowAuthorizationCodeFlow().RequireProofKeyForCodeExchange();
        options.AddEphemeralEncryptionKey().AddEphemeralSigningKey();
        options.RegisterScopes(Scopes.Profile, Scopes.Email, "read:user", "user:email", "read:org");
        options.UseAspNetCore().DisableTransportSecurityRequirement().EnableAuthorizationEndpointPassthrough().EnableUserInfoEndpointPassthrough();
        options.AddEventHandler<ValidateAuthorizationRequestContext>(b => b.UseInlineHandler(context =>
        {
            if (context.ClientId != ClientId) context.Reject(Errors.InvalidClient, "unknown client");
            else if (context.RedirectUri is null || !new Uri(context.RedirectUri).IsLoopback) context.Reject(Errors.InvalidRequest, "unknown redirect_uri");
            return default;
        }));
        options.AddEventHandler<ValidateTokenRequestContext>(b => b.UseInlineHandler(context =>
        {
            if (context.ClientId != ClientId || context.ClientSecret != ClientSecret) context.Reject(Errors.InvalidClient, "unknown client, or not its secret");
            return default;
        }));
        options.AddEventHandler<GenerateTokenContext>(b => b.UseInlineHandler(context =>
        {
            if (context.TokenType == TokenTypeIdentifiers.IdentityToken && provider().Mischief is { } mischief)
            {
                var claims = new Dictionary<string, object>(context.SecurityTokenDescriptor.Claims ?? new Dictionary<string, object>());
                mischief(claims, context.SecurityTokenDescriptor);
                context.SecurityTokenDescriptor.Claims = claims;
            }

            return default;
        }).SetOrder(OpenIddictServerHandlers.Protection.GenerateIdentityModelToken.Descriptor.Order - 1));
    }

    private void MapApi()
    {
        app.MapGet("/authorize", async context =>
        {
            var person = People[context.Request.Cookies["person"]!];
            var identity = new ClaimsIdentity("provider", Claims.Name, Claims.Role);
            identity.SetClaim(Claims.Subject, person.Subject).SetClaim(Claims.PreferredUsername, person.Login).SetClaim(Claims.Name, person.Login + " at work");
            if (person.Email is not null) identity.SetClaim(Claims.Email, person.Email).SetClaim(Claims.EmailVerified, person.EmailVerified);
            identity.SetClaims("groups", [.. person.Groups]);
            identity.SetScopes(context.GetOpenIddictServerRequest()!.GetScopes().Add(Scopes.OpenId));
            identity.SetDestinations(static claim => claim.Type == "groups" ? [Destinations.AccessToken] : [Destinations.IdentityToken, Destinations.AccessToken]);
            await context.SignInAsync(OpenIddictServerAspNetCoreDefaults.AuthenticationScheme, new ClaimsPrincipal(identity));
        });
        app.MapGet("/userinfo", context => AnswerAsync(context, p => new JsonObject { ["sub"] = p.Subject, ["groups"] = Texts(p.Groups) }));
        app.MapGet("/user", context => AnswerAsync(context, p => new JsonObject { ["id"] = long.Parse(p.Subject, System.Globalization.CultureInfo.InvariantCulture), ["login"] = p.Login, ["name"] = null }));
        app.MapGet("/user/emails", context => AnswerAsync(context, p => new JsonArray(new JsonObject { ["email"] = p.Email, ["primary"] = true, ["verified"] = p.EmailVerified })));
        app.MapGet("/user/orgs", context => AnswerAsync(context, p => new JsonArray([.. p.Groups.Select(g => (JsonNode)new JsonObject { ["login"] = g })])));
    }

    private async Task AnswerAsync(HttpContext context, Func<ProviderPerson, JsonNode> answer)
    {
        var token = await context.AuthenticateAsync(OpenIddictServerAspNetCoreDefaults.AuthenticationScheme);
        var subject = token.Principal!.GetClaim(Claims.Subject);
        await context.Response.WriteAsJsonAsync(answer(People.Values.First(p => p.Subject == subject)));
    }

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(t => (JsonNode)t)]);
}
