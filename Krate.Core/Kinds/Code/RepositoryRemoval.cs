using System.Text.Json.Nodes;
using Krate.Core.ControlPlane;
using Krate.Core.Gateway;
using Krate.Core.Repositories;
using Krate.Core.Resources;
using Microsoft.Extensions.Logging;

namespace Krate.Core.Kinds.Code;

/// <summary>
/// Takes a repository away: first everything that belongs to it (another of its name must not inherit issues or permissions), then the git
/// directory, which goes to the trash, then the finalizer. Each step may be repeated.
/// </summary>
internal sealed class RepositoryRemoval(KindCatalog catalog, RepositoryFiles files)
{
    private const int PageSize = 500;
    private static readonly WriteOptions Options = new() { FieldManager = "krate-control-plane" };
    private readonly IReadOnlyList<KindDefinition> dependents = [.. catalog.All.Where(k => k is { RepositoryPath: not null, ReadOnly: false, CreateOnly: false } && k.Kind != "Repository")];

    public async Task<Outcome> RunAsync(Resource repository, ReconcileContext context, CancellationToken ct)
    {
        if (!repository.Finalizers.Contains(WellKnown.RepositoryFinalizer)) return Outcome.Done;
        foreach (var kind in dependents) await RemoveAllAsync(kind, repository, context, ct);
        var org = repository.Label(WellKnown.OrgLabel) ?? "";
        files.RemovePrepared(org, repository.Name, repository.Uid);
        if (RepositoryFiles.OwnerOf(files.DirectoryOf(org, repository.Name)) == repository.Uid && files.MoveToTrash(org, repository.Name) is { } trash)
            context.Logger.LogInformation("Repository {Repository} moved to {Trash}", repository.Key, trash);

        var document = repository.Edit();
        document.Set("metadata.finalizers", new JsonArray([.. repository.Finalizers.Where(f => f != WellKnown.RepositoryFinalizer).Select(f => (JsonNode)f)]));
        await context.Gateway.UpdateAsync(context.Actor, repository.Kind, repository.Namespace, repository.Name, document, Options, ct);
        return Outcome.Done;
    }

    private static async Task RemoveAllAsync(KindDefinition kind, Resource repository, ReconcileContext context, CancellationToken ct)
    {
        var options = new ListOptions { Labels = Selector.Everything.And(new SelectorTerm(WellKnown.RepositoryLabel, SelectorOperator.In, [repository.Name])), Limit = PageSize };
        while (true)
        {
            var page = await context.Gateway.ListAsync(context.Actor, kind, repository.Namespace, options, ct);
            var left = page.Items.Where(r => !r.IsDeleting).ToList();
            foreach (var resource in left)
            {
                try
                {
                    await context.Gateway.DeleteAsync(context.Actor, kind, resource.Namespace, resource.Name, new DeleteOptions { Uid = resource.Uid }, ct);
                }
                catch (ApiException e) when (e.Code is 404 or 409)
                {
                    // Gone already.
                }
            }

            if (left.Count < PageSize) return;
        }
    }
}
