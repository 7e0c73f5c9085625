using System.Globalization;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Krate.Web.Hosting;

namespace Krate.Web.Api;

/// <summary>The verbs of Kubernetes' REST API over the gateway.</summary>
internal sealed class ResourceRequests(IResourceGateway gateway, KindCatalog catalog, Answers answers, WatchStream watches, JobLogRequests logs)
{
    public Task HandleAsync(HttpContext context, string group, string version, string rest)
    {
        var path = KubernetesPath.Parse(catalog, group, version, rest);
        if (path.Subresource is not ("" or "status")) return ActAsync(context, path);
        if (path.Subresource == "status" && (path.Name is null || !path.Kind.HasStatus)) throw KubernetesPath.NotServed();
        return (context.Request.Method, path.Name) switch
        {
            ("GET", null) => IsWatch(context.Request) ? watches.RunAsync(context, path) : ListAsync(context, path),
            ("GET", _) => IsWatch(context.Request) ? watches.RunAsync(context, path) : GetAsync(context, path),
            ("POST", null) => CreateAsync(context, path),
            ("PUT", not null) => UpdateAsync(context, path),
            ("PATCH", not null) => PatchAsync(context, path),
            ("DELETE", not null) when path.Subresource.Length == 0 => DeleteAsync(context, path),
            ("DELETE", null) => DeleteCollectionAsync(context, path),
            _ => throw NotAllowed(context, path),
        };
    }

    private static bool IsWatch(HttpRequest request) => RequestOptions.Flag(request, "watch") ?? false;

    private static ApiException NotAllowed(HttpContext context, KubernetesPath path) =>
        ApiException.MethodNotAllowed(path.Kind, context.Request.Method.ToLowerInvariant());

    private async Task GetAsync(HttpContext context, KubernetesPath path) =>
        await answers.WriteAsync(context, await gateway.GetAsync(context.GetActor(), path.Kind, path.Namespace!, path.Name!, context.RequestAborted));

    private async Task ListAsync(HttpContext context, KubernetesPath path)
    {
        var request = context.Request;
        var options = RequestOptions.List(request);
        var wanted = RequestOptions.Version(request);
        var match = RequestOptions.Text(request, "resourceVersionMatch");
        if (match is not (null or "Exact" or "NotOlderThan")) throw Invalid("resourceVersionMatch", $"Unsupported value: \"{match}\": supported values: \"Exact\", \"NotOlderThan\"");
        if (match is not null && wanted is null) throw Invalid("resourceVersionMatch", "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided");
        if (match == "Exact" && wanted == 0) throw Invalid("resourceVersionMatch", "Forbidden: resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\"");
        if (options.Continue is not null && wanted is > 0) throw ApiException.BadRequest("specifying resource version is not allowed when using continue");
        if (RequestOptions.Flag(request, "sendInitialEvents") is not null) throw Invalid("sendInitialEvents", "Forbidden: sendInitialEvents is forbidden for list");

        var actor = context.GetActor();
        var list = await gateway.ListAsync(actor, path.Kind, path.Namespace, options with { NotOlderThan = wanted }, context.RequestAborted);
        if (list.Version < wanted) throw TooLarge(wanted.Value, list.Version);

        // The past is only served as the further pages of a list that began in it.
        if (match == "Exact" && list.Version != wanted) throw ApiException.Expired($"The resourceVersion for the provided list is too old: {wanted} is wanted, the latest is {list.Version}");
        await answers.WriteAsync(context, list);
    }

    private async Task CreateAsync(HttpContext context, KubernetesPath path)
    {
        if (path.Namespace is null) throw NotAllowed(context, path);
        var options = RequestOptions.Write(context.Request, "", new Warnings(context.Response).Add);
        var document = await DocumentAsync(context, path.Kind, options);
        await answers.WriteAsync(context, await gateway.CreateAsync(context.GetActor(), path.Kind, path.Namespace, document, options, context.RequestAborted), 201);
    }

    private async Task UpdateAsync(HttpContext context, KubernetesPath path)
    {
        var options = RequestOptions.Write(context.Request, path.Subresource, new Warnings(context.Response).Add);
        var document = await DocumentAsync(context, path.Kind, options);
        await answers.WriteAsync(context, await gateway.UpdateAsync(context.GetActor(), path.Kind, path.Namespace!, path.Name!, document, options, context.RequestAborted));
    }

    private async Task PatchAsync(HttpContext context, KubernetesPath path)
    {
        var request = context.Request;
        var type = Negotiation.ContentTypeOf(request) switch
        {
            RequestBody.JsonPatch => PatchType.Json,
            RequestBody.MergePatch => PatchType.Merge,
            RequestBody.StrategicPatch => PatchType.Strategic,
            RequestBody.ApplyPatch => PatchType.Apply,
            var other => throw new ApiException(415, "UnsupportedMediaType", $"the body of the request was in an unknown format ({other}) - accepted media types include: {RequestBody.JsonPatch}, {RequestBody.MergePatch}, {RequestBody.StrategicPatch}, {RequestBody.ApplyPatch}"),
        };
        var options = RequestOptions.Write(request, path.Subresource, new Warnings(context.Response).Add);
        var force = RequestOptions.Flag(request, "force");
        if (force is not null && type != PatchType.Apply) throw Invalid("force", "Forbidden: may not be specified for non-apply patch");
        if (type == PatchType.Apply && RequestOptions.Text(request, "fieldManager") is null) throw Invalid("fieldManager", "Required value: is required for apply patch");
        var body = await RequestBody.ReadAsync(context);
        JudgeDuplicates(body, path.Kind, options);
        var patch = new Patch(type, body.Document ?? throw ApiException.BadRequest("a patch needs a body"), options.FieldManager, force ?? false);
        var (resource, created) = await gateway.PatchAsync(context.GetActor(), path.Kind, path.Namespace!, path.Name!, patch, options, context.RequestAborted);
        await answers.WriteAsync(context, resource, created ? 201 : 200);
    }

    private async Task DeleteAsync(HttpContext context, KubernetesPath path)
    {
        var options = RequestOptions.Delete(context.Request, await DeleteBodyAsync(context));
        var result = await gateway.DeleteAsync(context.GetActor(), path.Kind, path.Namespace!, path.Name!, options, context.RequestAborted);
        if (result.Gone) await Answers.WriteAsync(context, Success(path.Kind, path.Name!, result.Resource.Uid));
        else await answers.WriteAsync(context, result.Resource);
    }

    /// <summary>Deletes what a list with the same selectors shows, one by one, as Kubernetes does.</summary>
    private async Task DeleteCollectionAsync(HttpContext context, KubernetesPath path)
    {
        if (path.Namespace is null) throw NotAllowed(context, path);
        var options = RequestOptions.Delete(context.Request, await DeleteBodyAsync(context));
        var actor = context.GetActor();
        var access = new AccessRequest { Verb = "deletecollection", Group = path.Kind.Group, Resource = path.Kind.Plural, Namespace = path.Namespace };
        var decision = await gateway.ReviewAsync(actor, access, context.RequestAborted);
        if (!decision.Allowed) throw new ApiException(403, "Forbidden", $"{path.Kind.QualifiedPlural} is forbidden: {decision.Reason}") { Subject = (path.Kind.Group, path.Kind.Plural, "") };
        var list = await gateway.ListAsync(actor, path.Kind, path.Namespace, RequestOptions.List(context.Request), context.RequestAborted);
        foreach (var item in list.Items)
        {
            try
            {
                await gateway.DeleteAsync(actor, path.Kind, path.Namespace, item.Name, options, context.RequestAborted);
            }
            catch (ApiException e) when (e.Code == 404)
            {
                // Somebody else was quicker.
            }
        }

        await Answers.WriteAsync(context, Success(path.Kind, "", ""));
    }

    private async Task ActAsync(HttpContext context, KubernetesPath path)
    {
        if (path.Name is null || !path.Kind.Actions.Contains(path.Subresource)) throw KubernetesPath.NotServed();
        if (path.Kind.ByteActions.Contains(path.Subresource))
        {
            await logs.HandleAsync(context, path);
            return;
        }

        if (context.Request.Method != "POST") throw NotAllowed(context, path);
        var body = await RequestBody.ReadAsync(context);
        var answer = await gateway.ActAsync(context.GetActor(), path.Kind, path.Namespace!, path.Name, path.Subresource, body.Document is null ? null : body.Object, context.RequestAborted);
        await Answers.WriteAsync(context, answer, 201);
    }

    private static async Task<JsonObject?> DeleteBodyAsync(HttpContext context)
    {
        var body = await RequestBody.ReadAsync(context);
        if (body.Document is null) return null;
        if (body.Object.Text("kind") is { } kind && kind != "DeleteOptions") throw ApiException.BadRequest($"the body of a delete is DeleteOptions, not {kind}");
        return body.Object;
    }

    private static async Task<JsonObject> DocumentAsync(HttpContext context, KindDefinition kind, WriteOptions options)
    {
        var body = await RequestBody.ReadAsync(context);
        JudgeDuplicates(body, kind, options);
        return body.Object;
    }

    private static void JudgeDuplicates(RequestBody body, KindDefinition kind, WriteOptions options)
    {
        if (body.Duplicates.Count == 0 || options.FieldValidation == FieldValidation.Ignore) return;
        if (options.FieldValidation == FieldValidation.Strict)
            throw ApiException.BadRequest($"{kind.Kind} in version \"{kind.Version}\" cannot be handled as a {kind.Kind}: strict decoding error: {string.Join(", ", body.Duplicates.Take(20).Select(d => $"duplicate field \"{d}\""))}");
        foreach (var field in body.Duplicates) options.Warn?.Invoke($"duplicate field \"{field}\"");
    }

    private static JsonObject Success(KindDefinition kind, string name, string uid)
    {
        var details = new JsonObject();
        if (name.Length > 0) details["name"] = name;
        if (kind.Group.Length > 0) details["group"] = kind.Group;
        details["kind"] = kind.Plural;
        if (uid.Length > 0) details["uid"] = uid;
        return new JsonObject { ["kind"] = "Status", ["apiVersion"] = "v1", ["metadata"] = new JsonObject(), ["status"] = "Success", ["details"] = details };
    }

    private static ApiException TooLarge(long wanted, long current) =>
        new(504, "Timeout", string.Create(CultureInfo.InvariantCulture, $"Too large resource version: {wanted}, current: {current}"), [new("ResourceVersionTooLarge", "", "Too large resource version")]) { RetryAfterSeconds = 1 };

    private static ApiException Invalid(string field, string message) =>
        new(422, "Invalid", $"Options.meta.k8s.io \"\" is invalid: {field}: {message}", [new("FieldValueInvalid", field, message)]) { Subject = ("meta.k8s.io", "Options", "") };
}
