using Krate.Core.Agents;
using Krate.Core.Blobs;
using Krate.Core.ControlPlane;
using Krate.Core.Gateway;
using Krate.Core.Kinds.Code;
using Krate.Core.Kinds.Dispatch;
using Krate.Core.Kinds.Grants;
using Krate.Core.Kinds.Hooks;
using Krate.Core.Kinds.Orgs;
using Krate.Core.Kinds.Review;
using Krate.Core.Kinds.Runs;
using Krate.Core.Kinds.SignIn;
using Krate.Core.Kinds.Stacks;
using Krate.Core.Kinds.Work;
using Krate.Core.Outbound;
using Krate.Core.Resources;
using Krate.Core.Sessions;
using Krate.Core.Store;
using Krate.Core.Workspaces;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Krate.Core.Kinds;

public static class ControlPlaneServices
{
    /// <summary>
    /// The control plane with every reconciler. Needs <see cref="IResourceStore"/>, <see cref="IResourceGateway"/>,
    /// <see cref="IResourceCache"/>, <see cref="KindCatalog"/> and <see cref="TimeProvider"/>. It starts with the host, after the
    /// store is initialised and the cache loaded.
    /// </summary>
    /// <param name="options">Null: as the database in use asks for.</param>
    public static IServiceCollection AddKrateControlPlane(this IServiceCollection services, ControlPlaneOptions? options = null) => services
        .AddSingleton(p => options ?? new ControlPlaneOptions { SingleProcess = !p.GetRequiredService<StoreOptions>().IsPostgres })
        .AddSingleton<ResourceReader>()
        .AddSingleton<EventRecorder>()
        .AddSingleton(p => new ControlPlaneParts(
            p.GetRequiredService<IResourceGateway>(),
            p.GetRequiredService<IResourceCache>(),
            p.GetRequiredService<IResourceStore>().Feed,
            p.GetRequiredService<ResourceReader>(),
            p.GetRequiredService<TimeProvider>(),
            p.GetRequiredService<ControlPlaneOptions>()))
        .AddSingleton(p => new Leadership(
            p.GetRequiredService<IResourceStore>().Leases,
            p.GetRequiredService<ControlPlaneOptions>(),
            p.GetRequiredService<TimeProvider>(),
            p.GetRequiredService<ILogger<Leadership>>()))
        .AddSingleton<OrganizationRemoval>()
        .AddReconciler<OrganizationReconciler>()
        .AddSingleton<RepositoryRemoval>()
        .AddReconciler<RepositoryReconciler>()
        .AddReconciler<AgentStackReconciler>()
        .AddReconciler<AgentServiceAccountReconciler>()
        .AddSingleton<ConsumerIndex>()
        .AddReconciler<AgentSecretGrantReconciler>()
        .AddReconciler<AgentConfigGrantReconciler>()
        .AddSingleton<Requesters>()
        .AddSingleton<RoleBindingReviews>()
        .AddReconciler<AgentRoleBindingReconciler>()
        .AddSingleton<WorkTrust>()
        .AddSingleton<PermissionReviews>()
        .AddSingleton<ContextReader>()
        .AddSingleton<ContextBundles>()
        .AddKrateSessions()
        .AddSingleton<BlobStore>()
        .AddSingleton<WorkspaceFolders>()
        .AddDispatch()
        .AddReconciler<AgentDispatchRunReconciler>()
        .AddKrateAgents()
        .AddProbeActions()
        .AddReconciler<AgentAdapterReconciler>()
        .AddReconciler<AgentMcpServerReconciler>()
        .AddReconciler<AgentSkillReconciler>()
        .AddReconciler<AgentContextLabelReconciler>()
        .AddReconciler<PullRequestReconciler>()
        .AddWorkActions()
        .AddWebhooks()
        .AddReconciler<WebhookSubscriptionReconciler>()
        .AddReconciler<PipelineReconciler>()
        .AddRunActions()
        .AddSignIn()
        .AddReconciler<AuthProviderReconciler>()
        .AddReconciler<NamespaceReconciler>()
        .AddSingleton<IControlLoop, GarbageCollector>()
        .AddSingleton<IControlLoop, Janitor>()
        .AddSingleton<ControlPlaneHost>()
        .AddSingleton<IControlPlaneStatus>(p => p.GetRequiredService<ControlPlaneHost>())
        .AddSingleton<IReadiness>(p => p.GetRequiredService<ControlPlaneHost>())
        .AddSingleton<IHostedService>(p => p.GetRequiredService<ControlPlaneHost>());

    /// <summary>Mail about failed runs, beside the control plane.</summary>
    public static IServiceCollection AddKrateMail(this IServiceCollection services, MailOptions options) => services.AddSingleton(new Mailer(options)).AddReconciler<FailedRunMail>();

    /// <summary>A reconciler runs in a loop of its own, under a lease of its own.</summary>
    private static IServiceCollection AddReconciler<T>(this IServiceCollection services)
        where T : class, IReconciler => services
        .AddSingleton<T>()
        .AddSingleton<IReconciler>(p => p.GetRequiredService<T>())
        .AddSingleton<IControlLoop>(p => new Controller(
            p.GetRequiredService<T>(),
            p.GetRequiredService<ControlPlaneParts>(),
            p.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(T).FullName!)));
}
