using Krate.Web.Hosting.Requests;
using Microsoft.AspNetCore.Authentication.Cookies;

namespace Krate.Web.Hosting.SignIn;

internal static class SessionServices
{
    public static IServiceCollection AddBrowserSessions(this IServiceCollection services)
    {
        services.AddAuthentication(Sessions.Scheme).AddCookie(Sessions.Scheme, options =>
        {
            options.Cookie.Name = CookieNames.Session;
            options.Cookie.HttpOnly = true;
            options.Cookie.SameSite = SameSiteMode.Lax;
            options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            options.Cookie.Path = "/";
            options.ExpireTimeSpan = Sessions.Lifetime;
            options.SlidingExpiration = false;
        });
        services.AddOptions<CookieAuthenticationOptions>(Sessions.Scheme).Configure<TimeProvider>((options, time) => options.TimeProvider = time);
        services.AddAntiforgery(options =>
        {
            options.Cookie.Name = CookieNames.Antiforgery;
            options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            options.Cookie.Path = "/";
        });
        return services
            .AddSingleton<Sessions>()
            .AddSingleton<LocalRegistration>()
            .AddSingleton<SignInMethods>()
            .AddSingleton<PendingSignIn>()
            .AddSingleton<ProviderSignIn>()
            .AddScoped<ICurrentActor, CurrentActor>();
    }
}
