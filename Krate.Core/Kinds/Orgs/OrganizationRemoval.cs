using System.Text.Json.Nodes;
using Krate.Core.ControlPlane;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Core.Store;
using Microsoft.Extensions.Logging;

namespace Krate.Core.Kinds.Orgs;

/// <summary>
/// Ends an organization: its namespace with everything in it, then what it has in the platform namespace, then its git
/// repositories go to the trash folder, then the finalizer. Each step may be repeated.
/// </summary>
internal sealed class OrganizationRemoval(KindCatalog catalog, DataDirectory? data = null)
{
    private static readonly WriteOptions Options = new() { FieldManager = "krate-control-plane" };

    public async Task<Outcome> RunAsync(Resource organization, ReconcileContext context, CancellationToken ct)
    {
        if (!organization.Finalizers.Contains(WellKnown.OrgFinalizer)) return Outcome.Done;
        if (await RemoveNamespaceAsync(organization, context, ct)) return Outcome.Done;

        // The binding stays until here: what is being emptied still belongs to the organization.
        foreach (var kind in (string[])["RoleBinding", "Role", "OrgNamespaceBinding"]) await RemovePlatformPartsAsync(kind, organization, context, ct);
        MoveGitToTrash(organization, context);

        var document = organization.Edit();
        document.Set("metadata.finalizers", new JsonArray([.. organization.Finalizers.Where(f => f != WellKnown.OrgFinalizer).Select(f => (JsonNode)f)]));
        await context.Gateway.UpdateAsync(context.Actor, organization.Kind, organization.Namespace, organization.Name, document, Options, ct);
        context.Logger.LogInformation("Organization {Organization} is removed", organization.Name);
        return Outcome.Done;
    }

    /// <returns>True while the namespace is still there; its end wakes the organization.</returns>
    private async Task<bool> RemoveNamespaceAsync(Resource organization, ReconcileContext context, CancellationToken ct)
    {
        var kind = catalog["Namespace"];
        var name = OrganizationPlan.Namespace(organization);
        var ns = context.Cache.Get(kind, "", name);
        // A namespace that was never this organization's is not its to delete.
        if (ns is null || ns.Label(WellKnown.OrgLabel) != OrganizationPlan.Slug(organization) || NamespaceReconciler.IsProtected(name)) return false;
        if (!ns.IsDeleting) await context.Gateway.DeleteAsync(context.Actor, kind, "", name, new DeleteOptions { Uid = ns.Uid }, ct);
        var message = $"Namespace {name} is being emptied.";
        await context.WriteStatusAsync(organization, StatusWriter.Status("Terminating", [new(Condition.Ready, Condition.False, "Terminating", message)]), ct);
        return true;
    }

    private async Task RemovePlatformPartsAsync(string kindName, Resource organization, ReconcileContext context, CancellationToken ct)
    {
        var kind = catalog[kindName];
        var slug = OrganizationPlan.Slug(organization);
        var parts = context.Cache.List(kind, WellKnown.PlatformNamespace)
            .Where(r => r.Label(WellKnown.OrgLabel) == slug && r.Label(OrganizationPlan.ManagedByLabel) == OrganizationPlan.ManagedBy).ToList();
        foreach (var part in parts)
        {
            try
            {
                await context.Gateway.DeleteAsync(context.Actor, kind, part.Namespace, part.Name, new DeleteOptions { Uid = part.Uid }, ct);
            }
            catch (ApiException e) when (e.Code == 404)
            {
                // Gone already.
            }
        }
    }

    private void MoveGitToTrash(Resource organization, ReconcileContext context)
    {
        if (data is null) return;
        var git = Path.Combine(data.Git, OrganizationPlan.Slug(organization));
        if (!Directory.Exists(git)) return;
        var trash = Path.Combine(data.Path, "trash");
        Directory.CreateDirectory(trash, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        // The uid keeps apart what two organizations of one name left behind.
        var target = Path.Combine(trash, $"{OrganizationPlan.Slug(organization)}-{organization.Uid}");
        Directory.Move(git, target);
        context.Logger.LogInformation("Git repositories of organization {Organization} moved to {Trash}", organization.Name, target);
    }
}
