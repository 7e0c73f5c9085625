using Krate.Core.Kinds.Review;
using Krate.Web.Hosting;

namespace Krate.Web.Api;

/// <summary><c>POST /api/orgs/{org}/agents/permissions/review</c>: what a stack may do somewhere for somebody, and what is missing.</summary>
internal sealed class PermissionReviewRequests(PermissionReviews reviews, OrgNamespaces namespaces)
{
    public async Task AnswerAsync(HttpContext context)
    {
        var body = await RequestBody.ReadAsync(context);
        var question = ReviewQuestion.Read(body.Object);
        var actor = context.GetActor();
        var ns = await namespaces.OfAsync(actor, (string)context.Request.RouteValues["org"]!, context.RequestAborted);
        await Answers.WriteAsync(context, await reviews.AnswerAsync(actor, ns, question, context.RequestAborted));
    }
}
