using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;

namespace Krate.Web.Features.Resources;

/// <summary>A write that a form is about to make: checked by dry run, shown behind the <c>&lt;/&gt;</c> button, and sent as it was shown.</summary>
/// <param name="Verb">create, patch or delete.</param>
/// <param name="Document">The resource of a create, the merge patch of a patch; null for a delete.</param>
public sealed record ResourceChange(string Verb, KindDefinition Kind, string Namespace, string Name, JsonObject? Document)
{
    private const string FieldManager = "krate-ui";

    /// <summary>Uid of what a delete was decided on, so that a newer one of the same name stays.</summary>
    public string? Uid { get; init; }

    /// <param name="name">Empty where the server gives one.</param>
    public static ResourceChange Create(KindDefinition kind, string ns, string name, JsonObject spec) => new("create", kind, ns, name, new JsonObject
    {
        ["apiVersion"] = kind.ApiVersion,
        ["kind"] = kind.Kind,
        ["metadata"] = name.Length == 0 ? new JsonObject { ["namespace"] = ns } : new JsonObject { ["name"] = name, ["namespace"] = ns },
        ["spec"] = spec,
    });

    /// <param name="spec">The fields of the spec to set; null takes one away.</param>
    public static ResourceChange Patch(Resource resource, JsonObject spec) =>
        new("patch", resource.Kind, resource.Namespace, resource.Name, new JsonObject { ["spec"] = spec });

    /// <summary>A patch of lists that were worked out from what is seen: refused when somebody else has changed the resource meanwhile.</summary>
    public static ResourceChange PatchSeen(Resource resource, JsonObject spec)
    {
        var change = Patch(resource, spec);
        change.Document!.Set("metadata.resourceVersion", resource.Body.Text("metadata.resourceVersion"));
        return change;
    }

    public static ResourceChange Delete(Resource resource) => new("delete", resource.Kind, resource.Namespace, resource.Name, null) { Uid = resource.Uid };

    /// <returns>The resource as it is then; what was there for a delete.</returns>
    /// <exception cref="ApiException">What the gateway refuses.</exception>
    public async Task<Resource> SendAsync(IResourceGateway gateway, Actor actor, bool dryRun, CancellationToken ct)
    {
        var options = new WriteOptions { FieldManager = FieldManager, DryRun = dryRun };
        return Verb switch
        {
            "create" => await gateway.CreateAsync(actor, Kind, Namespace, Document!.Copy(), options, ct),
            "patch" => (await gateway.PatchAsync(actor, Kind, Namespace, Name, new Patch(PatchType.Merge, Document!.Copy(), FieldManager), options, ct)).Resource,
            _ => (await gateway.DeleteAsync(actor, Kind, Namespace, Name, new DeleteOptions { Uid = Uid, DryRun = dryRun }, ct)).Resource,
        };
    }
}
