using Krate.Core.ControlPlane;
using Krate.Core.Gateway;
using Krate.Core.Identity;
using Krate.Core.Kinds;
using Krate.Core.Kinds.Demo;
using Krate.Core.Repositories;
using Krate.Core.Resources;
using Krate.Core.Runs;
using Krate.Core.Store;
using Krate.Web.Api;
using Krate.Web.Egress;
using Krate.Web.Git;
using Krate.Web.Hosting.Requests;
using Krate.Web.Hosting.SignIn;
using Krate.Web.Hosting.Tls;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.Hosting.StaticWebAssets;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.Extensions.Options;

namespace Krate.Web.Hosting;

/// <summary>Puts Krate together. The program and the tests use the same door.</summary>
public static class KrateHost
{
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(8);

    /// <summary>Runs until SIGTERM or Ctrl-C. A reason that the person can mend becomes one line on standard error.</summary>
    /// <returns>Exit code: 0, or 1 when Krate could not start.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        if (args.FirstOrDefault() == GenerateCommand.Name) return await GenerateCommand.RunAsync(args);
        WebApplication? app = null;
        try
        {
            app = Build(args);
            await app.StartAsync();
        }
        catch (Exception e) when (StartupFailure.Explain(e) is { } line)
        {
            if (app is not null) await EndAsync(app);
            await Console.Error.WriteLineAsync(line);
            return 1;
        }

        await using (app) await app.WaitForShutdownAsync();
        return 0;
    }

    /// <summary>The whole application, not started.</summary>
    /// <param name="args">Command line; <c>--demo</c> adds the demo organization once.</param>
    /// <exception cref="StartupException">Something that the person must mend.</exception>
    public static WebApplication Build(string[] args)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            Args = [.. args.Where(a => a != "--demo")],
            ApplicationName = typeof(KrateHost).Assembly.GetName().Name,
            ContentRootPath = AppContext.BaseDirectory,
        });
        AddDefaults(builder.Configuration, args.Contains("--demo"));
        // Outside the published folder the assets of Krate and its packages are found by the build's manifest, in every environment.
        StaticWebAssetsLoader.UseStaticWebAssets(builder.Environment, builder.Configuration);
        var settings = KrateSettings.From(builder.Configuration);
        MakeDirectories(settings.Data);
        AddServices(builder, settings);
        var started = false;
        // Until it has started, the host's own words are a stack trace of what StartupFailure says in one line.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", level => Volatile.Read(ref started) && level >= LogLevel.Warning);
        var app = builder.Build();
        app.Lifetime.ApplicationStarted.Register(() => Volatile.Write(ref started, true));
        app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Krate").LogInformation("Krate keeps its data in {Path}", settings.Data.Path);
        UsePipeline(app);
        MapEndpoints(app);
        return app;
    }

    /// <summary>What had started before the failure stops in order.</summary>
    private static async Task EndAsync(WebApplication app)
    {
        await app.StopAsync();
        await app.DisposeAsync();
    }

    private static void AddDefaults(ConfigurationManager configuration, bool demo)
    {
        var defaults = new Dictionary<string, string?>
        {
            ["urls"] = configuration.GetSection("Kestrel:Endpoints").Exists() ? null : Listeners.DefaultUrls,
            ["Logging:LogLevel:Default"] = "Information",
            ["Logging:LogLevel:Microsoft"] = "Warning",
            ["Logging:LogLevel:Microsoft.Hosting.Lifetime"] = "Information",
            // The keys lie in a directory of mode 0700, beside others of the same worth.
            ["Logging:LogLevel:Microsoft.AspNetCore.DataProtection"] = "Error",
            ["Logging:LogLevel:System"] = "Warning",
        };
        configuration.Sources.Insert(0, new Microsoft.Extensions.Configuration.Memory.MemoryConfigurationSource { InitialData = defaults });
        if (demo) configuration["Krate:Demo"] = "true";
    }

    private static void MakeDirectories(DataDirectory data)
    {
        try
        {
            data.Create();
            File.WriteAllText(Path.Combine(data.Keys, ".write-test"), "");
            File.Delete(Path.Combine(data.Keys, ".write-test"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"The data directory {data.Path} cannot be written: {e.Message}", e);
        }
    }

    private static void AddServices(WebApplicationBuilder builder, KrateSettings settings)
    {
        var services = builder.Services;
        ConsoleLog.Add(builder.Logging, builder.Configuration);
        builder.WebHost.ConfigureKestrel(k => TlsHosting.Apply(k, builder.Configuration));
        services.Configure<HostOptions>(o => o.ShutdownTimeout = StopWithin);
        services
            .AddSingleton(TimeProvider.System)
            .AddSingleton(settings)
            .AddSingleton(settings.Listeners)
            .AddSingleton(KindTable.Catalog)
            .AddKrateStore(new StoreOptions { DataDirectory = settings.Data, PostgresConnectionString = settings.PostgreSql })
            .AddKrateGateway()
            .AddKrateRepositories(new RepositoryOptions { PublicUrl = settings.PublicUrl, ImportRoots = settings.ImportRoots, AllowedHosts = settings.OutboundHosts, Limits = settings.Limits.OfRepositories, IsAlone = settings.IsEmbedded })
            .AddKrateRuns(settings.Limits.OfLogs)
            .AddSingleton<ConfiguredProvider>()
            .AddSingleton<Preparation>()
            .AddSingleton<IReadiness>(p => p.GetRequiredService<Preparation>())
            .AddHostedService(p => p.GetRequiredService<Preparation>())
            .AddSingleton(settings.Agents)
            .AddKrateControlPlane(new ControlPlaneOptions { SingleProcess = settings.IsEmbedded })
            .AddKrateIdentity(new IdentityOptions(IssuerName.Of(settings), LocalDeveloper: settings.Listeners.AreLoopback && settings.Oidc is null))
            .AddSingleton<CertificateAuthority>()
            .AddSingleton<ServerCertificate>()
            .AddSingleton<ClientAccess>()
            .AddSingleton<AdminKubeconfig>()
            .AddSingleton<IReadiness>(p => p.GetRequiredService<AdminKubeconfig>())
            .AddHostedService(p => p.GetRequiredService<AdminKubeconfig>())
            .AddSingleton<Draining>()
            .AddSingleton<Impersonation>()
            .AddScoped<CspNonce>()
            .AddTelemetry(builder.Configuration)
            .AddKrateEgress()
            .AddRateLimits(settings.Limits)
            .AddKrateApi()
            .AddSingleton<GitServer>()
            .AddBrowserSessions()
            .AddKratePages();
        if (settings.Mail is { } mail) services.AddKrateMail(mail);
        if (settings.Demo)
        {
            services
                .AddSingleton<DemoRepository>()
                .AddSingleton<DemoOrganization>()
                .AddSingleton<IReadiness>(p => p.GetRequiredService<DemoOrganization>())
                .AddHostedService(p => p.GetRequiredService<DemoOrganization>());
        }

        services.AddDataProtection().SetApplicationName("krate");
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>, DataProtectionKeys>();
    }

    private static void UsePipeline(WebApplication app)
    {
        var draining = app.Services.GetRequiredService<Draining>();
        app.UseMiddleware<Correlation>();
        app.Use((HttpContext context, RequestDelegate next) => draining.RunAsync(context, next));
        app.UseMiddleware<HostGuard>();
        app.UseHsts();
        app.UseMiddleware<SecurityHeaders>();
        app.UseMiddleware<CookieNames>();
        app.UseCookiePolicy(CookieNames.Policy());
        app.UseKratePages();
        app.UseRouting();
        app.UseAuthentication();
        app.UseMiddleware<Requests.Authentication>();
        app.Use((HttpContext context, RequestDelegate next) => Health.GuardMetrics(context, next));
        app.UseRateLimiter();
        app.UseMiddleware<CircuitLimit>();
        app.UseAntiforgery();
    }

    private static void MapEndpoints(WebApplication app)
    {
        app.MapHealth();
        app.MapOpenId();
        app.MapSignIn();
        app.MapKrateApi();
        app.MapHub<RunHub>(RunHub.Path, hub => hub.Transports = HttpTransportType.WebSockets);
        app.MapHub<AgentSessionHub>(AgentSessionHub.Path, hub => hub.Transports = HttpTransportType.WebSockets);
        app.MapGit();
        app.MapKratePages();
    }
}
