using System.Text.Json.Nodes;
using Krate.Core.ControlPlane;
using Krate.Core.Gateway;
using Krate.Core.Git;
using Krate.Core.Kinds.Orgs;
using Krate.Core.Repositories;
using Krate.Core.Resources;
using Microsoft.Extensions.Logging;

namespace Krate.Core.Kinds.Code;

/// <summary>
/// Gives a Repository its git directory (empty, forked or imported), its roles by visibility and permission, and a status that tells
/// of them; takes everything away again when it is deleted.
/// </summary>
internal sealed class RepositoryReconciler(
    KindCatalog catalog, EventRecorder events, RepositoryFiles files, RepositoryOptions options, RepositoryImports imports, RefRecorder recorder, RepositoryUpkeep upkeep, RepositoryRemoval removal) : IReconciler
{
    private const string HostingReady = "HostingReady";
    private const string PolicyCompiled = "PolicyCompiled";
    private static readonly WriteOptions Options = new() { FieldManager = "krate-control-plane" };

    public string Name => "repository";

    public KindDefinition For { get; } = catalog["Repository"];

    public IReadOnlyList<WakeUp> WakeUps { get; } =
    [
        new(catalog["RepositoryPermission"], (r, _) => [Key(catalog, r.Namespace, r.Body.Text("spec.repository"))]),
        new(catalog["BranchProtection"], (r, cache) => OfRule(catalog, r, cache)),
        new(catalog["RefPolicy"], (r, cache) => OfRule(catalog, r, cache)),
        new(catalog["Role"], (r, _) => OfRole(catalog, r)),
        new(catalog["RoleBinding"], (r, _) => OfRole(catalog, r)),
        new(catalog["User"], (r, cache) => cache.List(catalog["RepositoryPermission"]).Where(p => p.Body.Text("spec.subject.name") == r.Name).Select(p => Key(catalog, p.Namespace, p.Body.Text("spec.repository")))),
    ];

    public async Task<Outcome> ReconcileAsync(ResourceKey key, Resource? resource, ReconcileContext context, CancellationToken ct)
    {
        if (resource is null) return Outcome.Done;
        if (resource.IsDeleting)
        {
            await imports.CancelAsync(key);
            return await removal.RunAsync(resource, context, ct);
        }

        if (!resource.Finalizers.Contains(WellKnown.RepositoryFinalizer)) resource = await HoldAsync(resource, context, ct);
        await EnsureCreatorAsync(resource, context, ct);
        await EnsureRolesAsync(resource, context, ct);
        var hosting = await HostAsync(resource, context, ct);
        if (hosting.Status == Condition.True) await recorder.RecordAsync(OrgOf(resource), resource.Namespace, resource.Name, null, ct);
        await ReportAsync(context.Cache.Get(For, resource.Namespace, resource.Name) ?? resource, hosting, context, ct);
        // An import tells its end before it is gone, and nothing is told when it is.
        return hosting.Reason == "Importing" && HasEnded(resource) ? Outcome.Again(TimeSpan.FromMilliseconds(100)) : Outcome.Done;
    }

    private static bool HasEnded(Resource repository) => repository.Body.Text("status.import.phase") is "Succeeded" or "Failed" or "Cancelled";

    private static string OrgOf(Resource repository) => repository.Label(WellKnown.OrgLabel) ?? "";

    private static ResourceKey Key(KindCatalog catalog, string ns, string? name) => new(catalog["Repository"].Kind, ns, name ?? "");

    private static IEnumerable<ResourceKey> OfRule(KindCatalog catalog, Resource rule, IResourceCache cache) =>
        rule.Body.Text("spec.repository") is { Length: > 0 } own ? [Key(catalog, rule.Namespace, own)] : cache.List(catalog["Repository"], rule.Namespace).Select(r => r.Key);

    private static IEnumerable<ResourceKey> OfRole(KindCatalog catalog, Resource part) =>
        part.Label(OrganizationPlan.ManagedByLabel) == OrganizationPlan.ManagedBy && part.Label(WellKnown.RepositoryLabel) is { } name ? [Key(catalog, part.Namespace, name)] : [];

    private async Task<Resource> HoldAsync(Resource repository, ReconcileContext context, CancellationToken ct)
    {
        var document = repository.Edit();
        document.Set("metadata.finalizers", new JsonArray([.. repository.Finalizers.Append(WellKnown.RepositoryFinalizer).Select(f => (JsonNode)f)]));
        return await context.Gateway.UpdateAsync(context.Actor, For, repository.Namespace, repository.Name, document, Options, ct);
    }

    /// <summary>Whoever makes a repository administers it; once, so that it can be taken away again.</summary>
    private async Task EnsureCreatorAsync(Resource repository, ReconcileContext context, CancellationToken ct)
    {
        if (repository.FindCondition(HostingReady) is not null || repository.Annotation(Admission.CreatedByAnnotation) is not { } creator) return;
        var user = context.Cache.List(catalog["User"], WellKnown.PlatformNamespace).FirstOrDefault(u => (u.Body.Text("spec.username") ?? u.Name) == creator);
        if (user is null) return;
        var document = new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = $"creator-{repository.Uid}" },
            ["spec"] = new JsonObject { ["repository"] = repository.Name, ["subject"] = new JsonObject { ["kind"] = "user", ["name"] = user.Name }, ["permission"] = "admin" },
        };
        try
        {
            await context.Gateway.CreateAsync(context.Actor, catalog["RepositoryPermission"], repository.Namespace, document, Options, ct);
        }
        catch (ApiException e) when (e.Reason == "AlreadyExists")
        {
            // An earlier pass got that far.
        }
    }

    private async Task EnsureRolesAsync(Resource repository, ReconcileContext context, CancellationToken ct)
    {
        var wanted = RepositoryRoles.For(repository, context.Cache, catalog).ToList();
        foreach (var (kindName, document) in wanted) await EnsureAsync(catalog[kindName], repository.Namespace, document, context, ct);
        foreach (var kindName in (string[])["RoleBinding", "Role"])
        {
            var kept = wanted.Where(w => w.Kind == kindName).Select(w => w.Document.Text("metadata.name")).ToHashSet();
            foreach (var level in RepositoryLevels.Verbs.Keys.Select(l => RepositoryRoles.NameOf(repository.Name, l)).Where(n => !kept.Contains(n)))
                if (context.Cache.Get(catalog[kindName], repository.Namespace, level) is { } old) await context.Gateway.DeleteAsync(context.Actor, old.Kind, old.Namespace, old.Name, new DeleteOptions { Uid = old.Uid }, ct);
        }
    }

    private static async Task EnsureAsync(KindDefinition kind, string ns, JsonObject document, ReconcileContext context, CancellationToken ct)
    {
        var name = document.Text("metadata.name")!;
        if (context.Cache.Get(kind, ns, name) is not { } there)
        {
            await context.Gateway.CreateAsync(context.Actor, kind, ns, document, Options, ct);
            return;
        }

        var same = new[] { "rules", "roleRef", "subjects" }.All(f => JsonNode.DeepEquals(there.Body[f], document[f]));
        if (same || there.IsDeleting) return;
        if (!JsonNode.DeepEquals(there.Body["roleRef"], document["roleRef"]))
        {
            // A binding keeps its role for life; the next pass makes it anew.
            await context.Gateway.DeleteAsync(context.Actor, kind, ns, name, new DeleteOptions { Uid = there.Uid }, ct);
            return;
        }

        var next = there.Edit();
        foreach (var field in new[] { "rules", "subjects" })
            if (document[field] is { } value) next[field] = value.DeepClone();
        await context.Gateway.UpdateAsync(context.Actor, kind, ns, name, next, Options, ct);
    }

    private async Task<Condition> HostAsync(Resource repository, ReconcileContext context, CancellationToken ct)
    {
        var org = OrgOf(repository);
        var directory = files.DirectoryOf(org, repository.Name);
        var isHosted = RepositoryFiles.OwnerOf(directory) == repository.Uid;
        var source = ImportSource.Of(repository, name => files.DirectoryOf(org, name));
        if (imports.SourceOf(repository.Key) is { } runs)
        {
            if (source is not null && source.Text == runs) return Importing(source);
            await imports.CancelAsync(repository.Key);
            return new(HostingReady, Condition.False, "ImportCancelled", "The import was cancelled.");
        }

        if (source is not null && NeedsImport(repository, source, isHosted))
        {
            imports.Start(org, repository, source);
            return Importing(source);
        }

        if (!isHosted)
        {
            var prepared = await files.PrepareAsync(org, repository.Name, repository.Uid, DefaultBranch(repository), ct);
            files.Place(prepared, org, repository.Name);
            context.Logger.LogInformation("Repository {Repository} is hosted in {Directory}", repository.Key, directory);
        }

        RefLedger.Prepare(directory);
        await PointHeadAsync(new GitRepository(directory), DefaultBranch(repository), ct);
        return repository.Body.Text("status.import.phase") == "Failed" && source is not null
            ? new(HostingReady, Condition.True, "ImportFailed", $"Hosted, but empty: {repository.Body.Text("status.import.message")}")
            : new(HostingReady, Condition.True, "Hosted", "The git repository takes fetches and pushes.");
    }

    private static Condition Importing(ImportSource source) => new(HostingReady, Condition.False, "Importing", $"Contents are coming in from {source.Text}.");

    /// <summary>A source is taken once; one that a crash cut short, again.</summary>
    private static bool NeedsImport(Resource repository, ImportSource source, bool isHosted)
    {
        var taken = repository.Body.Text("status.import.source") == source.Text;
        return repository.Body.Text("status.import.phase") switch
        {
            "Succeeded" or "Failed" or "Cancelled" when taken => false,
            "Running" when isHosted => false,
            _ => !isHosted || repository.Body.Text("status.head") is null,
        };
    }

    private static string DefaultBranch(Resource repository) => repository.Body.Text("spec.defaultBranch") ?? "main";

    private static async Task PointHeadAsync(GitRepository git, string branch, CancellationToken ct)
    {
        var wanted = $"ref: {RefUpdate.Heads}{branch}";
        var head = Path.Combine(git.Directory, "HEAD");
        if (File.Exists(head) && (await File.ReadAllTextAsync(head, ct)).Trim() == wanted) return;
        await git.RunOrThrowAsync(["symbolic-ref", "HEAD", RefUpdate.Heads + branch], ct);
    }

    private async Task ReportAsync(Resource repository, Condition hosting, ReconcileContext context, CancellationToken ct)
    {
        var rules = RefRule.Of(context.Cache, catalog, repository.Namespace, repository.Name);
        var compiled = new Condition(PolicyCompiled, Condition.True, "Compiled", rules.Count == 0 ? "No rules apply to its refs." : $"Rules for its refs: {string.Join(", ", rules.Select(r => r.Name))}.");
        var ready = hosting with { Type = Condition.Ready, Reason = hosting.Status == Condition.True ? "Ready" : hosting.Reason };
        var status = StatusWriter.Status(hosting.Status == Condition.True ? "Ready" : hosting.Reason == "Importing" ? "Importing" : "Pending", [hosting, compiled, ready]);
        status["cloneUrl"] = options.CloneUrl(OrgOf(repository), repository.Name);
        var before = repository.FindCondition(Condition.Ready);
        var written = await context.WriteStatusAsync(repository, status, ct);
        if (written.Body.Text("status.refsPage") is { } page) upkeep.Ask(written.Key, OrgOf(written), page);
        if (before?.Status == ready.Status && before.Reason == ready.Reason) return;
        await events.NormalAsync(context, written, ready.Reason, ready.Message, ct);
    }
}
