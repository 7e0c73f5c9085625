using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Microsoft.Extensions.DependencyInjection;

namespace Krate.Core.Kinds.Work;

/// <summary>Whoever may comment may change and take back what they said themselves; for the words of others RBAC is asked as ever (update, delete).</summary>
/// <remarks>Body of <c>edit</c>: <c>body</c>.</remarks>
internal sealed class OwnCommentAction(IServiceProvider services, string name) : IResourceAction
{
    public const string Edit = "edit";
    public const string Withdraw = "withdraw";

    public string Kind => "Comment";

    public string Name => name;

    public (string Verb, string Subresource) Access => ("create", "");

    private IResourceGateway Gateway => services.GetRequiredService<IResourceGateway>();

    public async Task<JsonObject> RunAsync(Actor actor, Resource target, JsonObject body, CancellationToken ct)
    {
        if (target.Body.Text("spec.author") != actor.User) throw ApiException.Forbidden($"comments \"{target.Name}\" is forbidden: it is {target.Body.Text("spec.author")}'s, and you are {actor.User}");
        var server = PrivilegedAccess.Work(actor);
        if (name == Withdraw)
        {
            await Gateway.DeleteAsync(server, target.Kind, target.Namespace, target.Name, new DeleteOptions { Uid = target.Uid }, ct);
            return target.Body.Copy();
        }

        if (string.IsNullOrWhiteSpace(body.Text("body"))) throw ApiException.Invalid(target.Kind, target.Name, new FieldError("FieldValueRequired", "body", "the new text is needed; to take the comment back, withdraw it"));
        var patch = new Patch(PatchType.Merge, new JsonObject { ["spec"] = new JsonObject { ["body"] = body.Text("body") } }, "krate");
        return (await Gateway.PatchAsync(server, target.Kind, target.Namespace, target.Name, patch, new WriteOptions(), ct)).Resource.Body.Copy();
    }
}
