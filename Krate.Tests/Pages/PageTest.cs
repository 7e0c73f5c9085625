using System.Text.Json.Nodes;
using Bunit;
using Krate.Core.Blobs;
using Krate.Core.Gateway;
using Krate.Core.Identity;
using Krate.Core.Kinds;
using Krate.Core.Kinds.Dispatch;
using Krate.Core.Kinds.Grants;
using Krate.Core.Kinds.Review;
using Krate.Core.Kinds.Work;
using Krate.Core.Repositories;
using Krate.Core.Resources;
using Krate.Core.Runs;
using Krate.Core.Sessions;
using Krate.Core.Store;
using Krate.Tests.Testing;
using Krate.Web.Features;
using Krate.Web.Features.Code;
using Krate.Web.Features.Repositories;
using Krate.Web.Features.Resources;
using Krate.Web.Hosting;
using Krate.Web.Hosting.SignIn;
using Krate.Web.Live;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Krate.Tests.Pages;

/// <summary>Pages in a circuit of bUnit's, over the real gateway and a store of this class.</summary>
public abstract class PageTest : BunitContext, IAsyncLifetime, IClassFixture<KrateCore>
{
    private readonly TempData data = new();

    protected PageTest(KrateCore core)
    {
        Core = core;
        Looker = new SignedIn(core.Admin);
        JSInterop.Mode = JSRuntimeMode.Loose;
        // A busy machine is not a broken page.
        DefaultWaitTimeout = TimeSpan.FromSeconds(30);
        Services
            .AddSingleton(core.Gateway)
            .AddSingleton(KindTable.Catalog)
            .AddSingleton(TimeProvider.System)
            .AddSingleton<ICurrentActor>(Looker)
            .AddSingleton<Handover>()
            .AddScoped<Carrier>()
            .AddScoped<Workplace>()
            .AddScoped<ReferenceCheck>()
            .AddScoped<PageStatus>()
            .AddSingleton(data.Directory)
            .AddSingleton<BlobStore>()
            .AddKrateSessions()
            .AddSingleton(new RepositoryFiles(data.Directory, TimeProvider.System))
            .AddSingleton(p => new HostedRepositories(core.Gateway, core.Service<IResourceCache>(), KindTable.Catalog, p.GetRequiredService<RepositoryFiles>()))
            .AddScoped<RepositoryRefs>()
            .AddSingleton(core.Service<IResourceCache>())
            .AddSingleton(core.Service<IAuthorizer>())
            .AddSingleton(core.Service<IdentityResolver>())
            .AddSingleton<WorkTrust>()
            .AddSingleton<PermissionReviews>()
            .AddSingleton(core.Service<SecretVault>())
            .AddKrateRuns(new LogLimits())
            .AddSingleton<PullRequestFacts>()
            .AddSingleton<ContextReader>()
            .AddSingleton<ContextBundles>()
            .AddSingleton(core.Service<RbacEscalation>())
            .AddSingleton<RoleBindingReviews>()
            .AddSingleton<SignInMethods>()
            .AddSingleton(new KrateSettings(data.Directory, new Listeners([]), null, false) { OwnPublicUrl = "https://krate.example.com" })
            .AddSingleton<IHttpContextAccessor>(new HttpContextAccessor())
            .AddCodePages();
        SetRendererInfo(new RendererInfo("Server", true));
    }

    protected KrateCore Core { get; }

    /// <summary>Who looks at the pages; may change while a page is open.</summary>
    internal SignedIn Looker { get; }

    protected static KindDefinition Stack => KindTable.Catalog["AgentStack"];

    protected static CancellationToken Ct => Xunit.TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing) data.Dispose();
    }

    protected static Place PlaceOf(string ns) => new(ns["krate-org-".Length..], "Test", ns);

    protected static JsonObject StackNamed(string name, string model = "m1") => new()
    {
        ["metadata"] = new JsonObject { ["name"] = name },
        ["spec"] = new JsonObject
        {
            ["baseAgent"] = "claude-code",
            ["adapter"] = "agent-mux.claude-code",
            ["model"] = model,
            ["runtimeIdentity"] = new JsonObject { ["serviceAccountRef"] = "ghost" },
        },
    };

    /// <summary>Puts a document into the store without admission: pages must show whatever is there.</summary>
    protected Task StoreAsync(KindDefinition kind, string ns, JsonObject document)
    {
        var metadata = document.Child("metadata");
        metadata["uid"] ??= Guid.NewGuid().ToString();
        metadata["creationTimestamp"] ??= "2026-01-01T00:00:00Z";
        if (kind.IsNamespaced) metadata["namespace"] = ns;
        return Core.Store.CommitAsync(new Commit { Writes = [new CreateWrite(kind, kind.IsNamespaced ? ns : "", document.Text("metadata.name")!, document)] }, Ct);
    }

    internal sealed class SignedIn(Actor actor) : ICurrentActor
    {
        public Actor Actor { get; set; } = actor;

        public ValueTask<Actor> GetAsync(CancellationToken ct) => new(Actor);
    }
}
