using Krate.Web.Features;
using Krate.Web.Features.Code;
using Krate.Web.Features.Repositories;
using Krate.Web.Features.Resources;
using Krate.Web.Hosting.Requests;
using Krate.Web.Hosting.SignIn;
using Krate.Web.Live;
using Microsoft.AspNetCore.Components.Web;
using MudBlazor.Services;

namespace Krate.Web;

/// <summary>What the pages need from the composition root, and their place in the pipeline.</summary>
public static class PageServices
{
    /// <summary>The longest text that a page may send at once: a manifest of the largest size that Krate takes, and its escapes.</summary>
    private const long MaxMessageBytes = 8 << 20;

    public static IServiceCollection AddKratePages(this IServiceCollection services)
    {
        services.AddRazorComponents()
            .AddInteractiveServerComponents(o =>
            {
                o.DisconnectedCircuitRetentionPeriod = TimeSpan.FromMinutes(3);
                o.DisconnectedCircuitMaxRetained = 200;
            })
            .AddHubOptions(o => o.MaximumReceiveMessageSize = MaxMessageBytes)
            .RegisterPersistentService<Carrier>(RenderMode.InteractiveServer);
        services.AddMudServices();
        services.AddCascadingAuthenticationState();
        services.AddHttpContextAccessor();
        return services
            .AddSingleton<Handover>()
            .AddScoped<Carrier>()
            .AddScoped<Workplace>()
            .AddScoped<ReferenceCheck>()
            .AddScoped<RepositoryRefs>()
            .AddScoped<PageStatus>()
            .AddCodePages();
    }

    /// <summary>Pages for addresses that lead nowhere and for faults; programs get their own answers. Before routing.</summary>
    public static void UseKratePages(this IApplicationBuilder app) =>
        app.UseWhen(IsForPeople, pages =>
        {
            pages.UseExceptionHandler("/error", createScopeForErrors: true);
            pages.UseStatusCodePagesWithReExecute("/not-found", createScopeForStatusCodePages: true);
            pages.UseWhen(c => c.Request.Path.StartsWithSegments(ProviderEndpoints.Path, StringComparison.Ordinal), signIn => signIn.UseStatusCodePagesWithReExecute(ProviderEndpoints.RefusedPath, createScopeForStatusCodePages: true));
        });

    public static void MapKratePages(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapStaticAssets();
        endpoints.MapRawFiles();
        endpoints.MapRazorComponents<App>()
            // frame-ancestors is in the policy of every answer already.
            .AddInteractiveServerRenderMode(o => o.ContentSecurityFrameAncestorsPolicy = null);
    }

    /// <summary>Whether a page answers, and not a program's kind of answer.</summary>
    internal static bool IsForPeople(HttpContext context) =>
        HttpMethods.IsGet(context.Request.Method) && !context.Request.IsApi() && !context.Request.IsGit() && !context.Request.IsCircuit()
        && context.Request.Headers.Accept.Any(a => a?.Contains("text/html", StringComparison.Ordinal) == true);
}
