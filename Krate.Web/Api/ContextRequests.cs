using Krate.Core.Kinds.Dispatch;
using Krate.Web.Hosting;

namespace Krate.Web.Api;

/// <summary><c>POST /api/orgs/{org}/agents/context/preview</c>: what an agent would be given, byte for byte.</summary>
internal sealed class ContextRequests(ContextBundles bundles, OrgNamespaces namespaces)
{
    public async Task PreviewAsync(HttpContext context)
    {
        var body = await RequestBody.ReadAsync(context);
        var request = ContextRequest.Read(body.Object);
        var actor = context.GetActor();
        var org = (string)context.Request.RouteValues["org"]!;
        var ns = await namespaces.OfAsync(actor, org, context.RequestAborted);
        await Answers.WriteAsync(context, ContextBundles.ToJson((await bundles.MakeAsync(actor, org, ns, request, context.RequestAborted)).Bundle));
    }
}
