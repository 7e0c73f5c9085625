using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Gateway;

/// <summary>
/// Answers the review kinds: a document with a spec in, the same with a status out. Nothing is stored. Who may ask about
/// others is the gateway's normal authorisation (<c>create</c> on <c>subjectaccessreviews</c>). Pure but for token checks.
/// </summary>
public static class AccessReviews
{
    /// <param name="ns">Namespace of the request; used by LocalSubjectAccessReview.</param>
    /// <exception cref="ApiException">422 for a spec that asks nothing or too much, 404 for a kind that is no review.</exception>
    public static JsonObject Answer(KindDefinition kind, JsonObject document, string ns, Actor actor, IAuthorizer authorizer) => kind.Kind switch
    {
        "SelfSubjectAccessReview" => Finish(kind, document, Decide(kind, document, actor, authorizer)),
        "SubjectAccessReview" => Finish(kind, document, Decide(kind, document, SubjectOf(kind, document), authorizer)),
        "LocalSubjectAccessReview" => Finish(kind, Local(kind, document, ns), Decide(kind, document, SubjectOf(kind, document), authorizer)),
        "SelfSubjectRulesReview" => Finish(kind, document, Rules(kind, document, actor, authorizer)),
        "SelfSubjectReview" => Finish(kind, document, new JsonObject { ["userInfo"] = UserInfo(actor) }),
        _ => throw ApiException.NotFound(kind, document.Text("metadata.name") ?? ""),
    };

    /// <summary>TokenReview: whose token it is. A token that is not good is an answer, not an error; the answer never repeats the token.</summary>
    public static async Task<JsonObject> AnswerTokenAsync(KindDefinition kind, JsonObject document, ITokenAuthenticator tokens, CancellationToken ct)
    {
        if (document.Text("spec.token") is not { Length: > 0 } token)
            throw ApiException.Invalid(kind, "", new FieldError("FieldValueRequired", "spec.token", "the token to review is required"));
        string[] audiences = [.. document.Texts("spec.audiences")];
        var actor = await tokens.AuthenticateAsync(token, audiences, ct).ConfigureAwait(false);
        var status = actor is null
            ? new JsonObject { ["authenticated"] = false, ["user"] = new JsonObject(), ["error"] = "the token is not valid here" }
            : new JsonObject { ["authenticated"] = true, ["user"] = UserInfo(actor) };
        if (actor is not null && audiences.Length > 0) status["audiences"] = Array(audiences);
        var answered = Finish(kind, document, status);
        answered.Child("spec").Remove("token");
        return answered;
    }

    private static JsonObject Finish(KindDefinition kind, JsonObject document, JsonObject status)
    {
        var answer = document.Copy();
        answer["apiVersion"] = kind.ApiVersion;
        answer["kind"] = kind.Kind;
        answer["metadata"] ??= new JsonObject();
        answer["status"] = status;
        return answer;
    }

    private static JsonObject Decide(KindDefinition kind, JsonObject document, Actor subject, IAuthorizer authorizer)
    {
        var decision = authorizer.Decide(subject, RequestOf(kind, document));
        return new JsonObject { ["allowed"] = decision.Allowed, ["reason"] = decision.Reason };
    }

    private static AccessRequest RequestOf(KindDefinition kind, JsonObject document)
    {
        var resource = document.At("spec.resourceAttributes") as JsonObject;
        var path = document.At("spec.nonResourceAttributes") as JsonObject;
        if (resource is null == path is null)
            throw ApiException.Invalid(kind, "", new FieldError("FieldValueInvalid", "spec.resourceAttributes", "exactly one of nonResourceAttributes or resourceAttributes must be specified"));
        if (path is not null) return new AccessRequest { Verb = path.Text("verb") ?? "", Path = path.Text("path") ?? "" };
        return new AccessRequest
        {
            Verb = resource.Text("verb") ?? "",
            Group = resource.Text("group") ?? "",
            Resource = resource.Text("resource") ?? "",
            Subresource = resource.Text("subresource") ?? "",
            Namespace = resource.Text("namespace") ?? "",
            Name = resource.Text("name") ?? "",
        };
    }

    private static Actor SubjectOf(KindDefinition kind, JsonObject document)
    {
        var user = document.Text("spec.user") ?? "";
        string[] groups = [.. document.Texts("spec.groups")];
        return user.Length > 0 || groups.Length > 0
            ? new Actor(user, groups)
            : throw ApiException.Invalid(kind, "", new FieldError("FieldValueInvalid", "spec.user", "at least one of user or group must be specified"));
    }

    private static JsonObject Local(KindDefinition kind, JsonObject document, string ns)
    {
        if (document.At("spec.nonResourceAttributes") is not null)
            throw ApiException.Invalid(kind, "", new FieldError("FieldValueInvalid", "spec.nonResourceAttributes", "disallowed on this kind of request"));
        if (document.Text("spec.resourceAttributes.namespace") != ns)
            throw ApiException.Invalid(kind, "", new FieldError("FieldValueInvalid", "spec.resourceAttributes.namespace", $"must match metadata.namespace: {ns}"));
        return document;
    }

    private static JsonObject Rules(KindDefinition kind, JsonObject document, Actor actor, IAuthorizer authorizer)
    {
        if (document.Text("spec.namespace") is not { Length: > 0 } ns)
            throw ApiException.Invalid(kind, "", new FieldError("FieldValueRequired", "spec.namespace", "the namespace to evaluate rules for is required"));
        var resources = new JsonArray();
        var paths = new JsonArray();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var rule in authorizer.RulesFor(actor, ns))
        {
            if (rule.Resources.Count > 0) Add(resources, RbacRules.Write(rule with { NonResourceUrls = [] }));
            if (rule.NonResourceUrls.Count > 0) Add(paths, RbacRules.Write(new PolicyRule(rule.Verbs, [], [], [], rule.NonResourceUrls)));
        }

        return new JsonObject { ["resourceRules"] = resources, ["nonResourceRules"] = paths, ["incomplete"] = false };

        void Add(JsonArray to, JsonObject rule)
        {
            if (seen.Add(KrateJson.ToText(rule))) to.Add((JsonNode)rule);
        }
    }

    private static JsonObject UserInfo(Actor actor)
    {
        var info = new JsonObject { ["username"] = actor.User, ["groups"] = Array(actor.Groups) };
        if (actor.Uid is { } uid) info["uid"] = uid;
        return info;
    }

    private static JsonArray Array(IEnumerable<string> texts) => new([.. texts.Select(t => (JsonNode)t)]);
}
