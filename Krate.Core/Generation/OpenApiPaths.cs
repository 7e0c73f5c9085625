using System.Globalization;
using System.Text.Json.Nodes;
using Krate.Core.Kinds.Native;
using Krate.Core.Resources;

namespace Krate.Core.Generation;

/// <summary>The paths and operations of one kind.</summary>
internal sealed class OpenApiPaths(KindDefinition kind)
{
    public const string Refused = "Refused";

    private readonly string group = kind.Group.Length == 0 ? $"/api/{kind.Version}" : $"/apis/{kind.Group}/{kind.Version}";

    public void AddTo(JsonObject paths)
    {
        var collection = kind.IsNamespaced ? $"{group}/namespaces/{{namespace}}/{kind.Plural}" : $"{group}/{kind.Plural}";
        if (kind.CreateOnly)
        {
            paths[collection] = Item(named: false, ("post", Operation("post", "create", OpenApiParameters.Write, body: Schema(), answer: Schema())));
            return;
        }

        var list = Operation("list", "list", OpenApiParameters.List, null, OpenApiWriter.Reference($"{OpenApiWriter.NameOf(kind)}List"));
        if (kind.IsNamespaced) paths[$"{group}/{kind.Plural}"] = new JsonObject { ["get"] = Operation("list", "list", OpenApiParameters.List, null, OpenApiWriter.Reference($"{OpenApiWriter.NameOf(kind)}List"), "ForAllNamespaces") };
        if (kind.ReadOnly)
        {
            paths[collection] = Item(named: false, ("get", list));
            paths[$"{collection}/{{name}}"] = Item(named: true, ("get", Get("")));
            return;
        }

        paths[collection] = Item(
            named: false,
            ("get", list),
            ("post", Operation("post", "create", OpenApiParameters.Write, Schema(), Schema())),
            ("delete", Operation("deletecollection", "deleteCollection", OpenApiParameters.List, Status("DeleteOptions"), Status("Status"))));
        paths[$"{collection}/{{name}}"] = Item(
            named: true,
            ("get", Get("")),
            ("put", Put("")),
            ("patch", Patch("")),
            ("delete", Operation("delete", "delete", OpenApiParameters.Delete, Status("DeleteOptions"), Status("Status"))));
        if (kind.HasStatus)
            paths[$"{collection}/{{name}}/status"] = Item(named: true, ("get", Get("Status")), ("put", Put("Status")), ("patch", Patch("Status")));
        foreach (var action in kind.Actions)
            paths[$"{collection}/{{name}}/{action}"] = Item(named: true, ("post", Action(action)));
    }

    public static JsonObject RefusedResponse() => new() { ["description"] = "Refused", ["content"] = Content(Status("Status")) };

    private JsonObject Item(bool named, params (string Method, JsonObject Operation)[] operations)
    {
        var item = new JsonObject(operations.Select(o => KeyValuePair.Create(o.Method, (JsonNode?)o.Operation)));
        var parameters = new JsonArray();
        if (named) parameters.Add(PathParameter("name", $"Name of the {kind.Kind}."));
        if (kind.IsNamespaced) parameters.Add(PathParameter("namespace", "Namespace of the resource."));
        if (parameters.Count > 0) item["parameters"] = parameters;
        return item;
    }

    private JsonObject Get(string suffix) => Operation("get", "read", [], null, Schema(), suffix);

    private JsonObject Put(string suffix) => Operation("put", "replace", OpenApiParameters.Write, Schema(), Schema(), suffix);

    private JsonObject Patch(string suffix)
    {
        var operation = Operation("patch", "patch", OpenApiParameters.Patch, null, Schema(), suffix);
        string[] types = ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"];
        if (!kind.IsProduct) types = [.. types, "application/strategic-merge-patch+json"];
        operation["requestBody"] = new JsonObject
        {
            ["required"] = true,
            ["content"] = new JsonObject(types.Select(t => KeyValuePair.Create(t, (JsonNode?)new JsonObject { ["schema"] = Status("Patch") }))),
        };
        return operation;
    }

    private JsonObject Action(string action)
    {
        // The one action with a typed body so far; those of product kinds describe themselves when they come.
        var body = action == "token" ? OpenApiWriter.Reference(OpenApiWriter.NameOf(ReviewKinds.TokenRequest)) : new JsonObject { ["type"] = "object", ["x-kubernetes-preserve-unknown-fields"] = true };
        var operation = Operation("post", "create", OpenApiParameters.Write, body, body.Copy(), Pascal(action));
        if (action == "token") operation["x-kubernetes-group-version-kind"] = OpenApiWriter.GroupVersionKind(ReviewKinds.TokenRequest);
        return operation;
    }

    private JsonObject Operation(string action, string verb, IEnumerable<JsonNode> parameters, JsonObject? body, JsonObject answer, string suffix = "")
    {
        var operation = new JsonObject
        {
            ["operationId"] = $"{verb}{Pascal(kind.Group)}{Pascal(kind.Version)}{(kind.IsNamespaced && suffix != "ForAllNamespaces" ? "Namespaced" : "")}{kind.Kind}{suffix}",
            ["x-kubernetes-action"] = action,
            ["x-kubernetes-group-version-kind"] = OpenApiWriter.GroupVersionKind(kind),
        };
        var list = new JsonArray([.. parameters]);
        if (list.Count > 0) operation["parameters"] = list;
        if (body is not null) operation["requestBody"] = new JsonObject { ["content"] = Content(body) };
        operation["responses"] = new JsonObject
        {
            [action == "post" ? "201" : "200"] = new JsonObject { ["description"] = action == "post" ? "Created" : "OK", ["content"] = Content(answer) },
            ["default"] = new JsonObject { ["$ref"] = $"#/components/responses/{Refused}" },
        };
        return operation;
    }

    private JsonObject Schema() => OpenApiWriter.Reference(OpenApiWriter.NameOf(kind));

    private static JsonObject Status(string name) => OpenApiWriter.Reference($"{MetaSchemas.Prefix}{name}");

    private static JsonObject Content(JsonObject schema) => new() { ["application/json"] = new JsonObject { ["schema"] = schema } };

    private static JsonObject PathParameter(string name, string text) =>
        new() { ["name"] = name, ["in"] = "path", ["required"] = true, ["description"] = text, ["schema"] = new JsonObject { ["type"] = "string" } };

    private static string Pascal(string text) =>
        string.Concat((text.Length == 0 ? "core" : text).Split('.', '-').Select(p => char.ToUpper(p[0], CultureInfo.InvariantCulture) + p[1..]));
}
