using System.Globalization;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Krate.Web.Hosting;

namespace Krate.Web.Api;

/// <summary>The typed routes kept from the seed: list, apply, get and delete of any kind, with errors in Krate's own shape.</summary>
internal sealed class TypedResources(IResourceGateway gateway, OrgNamespaces namespaces, Answers answers)
{
    private const string FieldManager = "krate-api";

    /// <summary><c>GET ?kind=K</c> (also <c>org</c>, <c>namespace</c>, <c>labelSelector</c>, <c>fieldSelector</c>, <c>limit</c>, <c>continue</c>).</summary>
    public async Task ListAsync(HttpContext context)
    {
        var request = context.Request;
        var kind = namespaces.KindOf(RequestOptions.Text(request, "kind") ?? throw ApiException.BadRequest("which kind? say ?kind=AgentStack"));
        var actor = context.GetActor();
        var ns = await namespaces.OfAsync(actor, kind, OrgOf(request), RequestOptions.Text(request, "namespace"), context.RequestAborted);
        var list = await gateway.ListAsync(actor, kind, ns, RequestOptions.List(request), context.RequestAborted);
        await Answers.WriteAsync(context, "application/json", json =>
        {
            json.WriteStartObject();
            json.WriteString("kind", kind.Kind);
            json.WriteString("plural", kind.Plural);
            json.WriteString("resourceVersion", list.Version.ToString(CultureInfo.InvariantCulture));
            if (list.Continue is not null) json.WriteString("continue", list.Continue);
            Answers.WriteItems(json, list.Items);
            json.WriteEndObject();
        });
    }

    /// <summary>Creates the resource or brings it to what the body says; what an earlier body said and this one does not goes.</summary>
    public async Task ApplyAsync(HttpContext context)
    {
        var body = await RequestBody.ReadAsync(context);
        var document = body.Object;
        if (body.Duplicates.Count > 0) throw ApiException.BadRequest($"the field {body.Duplicates[0]} appears twice");
        var kind = namespaces.KindOf(document.Text("kind") ?? throw ApiException.BadRequest("the body has no kind"));
        var actor = context.GetActor();
        var org = OrgOf(context.Request) ?? document.Text("spec.organizationRef");
        var named = document.Text("metadata.namespace") ?? RequestOptions.Text(context.Request, "namespace");
        var ns = await namespaces.OfAsync(actor, kind, kind.Scope == KindScope.Org ? org : null, named, context.RequestAborted)
            ?? throw new ApiException(422, "Invalid", $"{kind.Kind} belongs to an organization: say which", [new("ORG_REQUIRED", "spec.organizationRef", "name the organization, or its namespace in metadata.namespace")]) { ProductCode = "ORG_REQUIRED" };
        var options = new WriteOptions { FieldManager = FieldManager, Warn = new Warnings(context.Response).Add };
        if (kind.CreateOnly || document.Text("metadata.name") is not { Length: > 0 } name)
        {
            var made = await gateway.CreateAsync(actor, kind, ns, document, options, context.RequestAborted);
            await answers.WriteAsync(context, made, 201);
            return;
        }

        var (resource, created) = await gateway.PatchAsync(actor, kind, ns, name, new Patch(PatchType.Apply, document, FieldManager, Force: true), options, context.RequestAborted);
        await answers.WriteAsync(context, resource, created ? 201 : 200);
    }

    public async Task GetAsync(HttpContext context)
    {
        var (actor, kind, ns, name) = await TargetAsync(context);
        await answers.WriteAsync(context, await gateway.GetAsync(actor, kind, ns, name, context.RequestAborted));
    }

    /// <summary>Answers whether it is gone; false while finalizers hold it.</summary>
    public async Task DeleteAsync(HttpContext context)
    {
        var (actor, kind, ns, name) = await TargetAsync(context);
        var result = await gateway.DeleteAsync(actor, kind, ns, name, new DeleteOptions(), context.RequestAborted);
        await Answers.WriteAsync(context, new JsonObject { ["kind"] = kind.Kind, ["namespace"] = result.Resource.Namespace, ["name"] = name, ["uid"] = result.Resource.Uid, ["deleted"] = result.Gone });
    }

    private async Task<(Actor Actor, KindDefinition Kind, string Namespace, string Name)> TargetAsync(HttpContext context)
    {
        var request = context.Request;
        var kind = namespaces.KindOf((string)request.RouteValues["kind"]!);
        var actor = context.GetActor();
        var ns = await namespaces.OfAsync(actor, kind, OrgOf(request), RequestOptions.Text(request, "namespace"), context.RequestAborted)
            ?? throw new ApiException(400, "BadRequest", $"in which organization? say ?org= or ?namespace=") { ProductCode = "ORG_REQUIRED" };
        return (actor, kind, ns, KubernetesPath.CheckSegment((string)request.RouteValues["name"]!));
    }

    private static string? OrgOf(HttpRequest request) => request.RouteValues["org"] as string ?? RequestOptions.Text(request, "org");
}
