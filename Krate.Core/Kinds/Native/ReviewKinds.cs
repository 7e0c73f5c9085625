using k8s.Models;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Native;

/// <summary>Questions to the control plane: posted and answered, never stored.</summary>
public static class ReviewKinds
{
    private const string Authorization = "authorization.k8s.io";
    private const string Authentication = "authentication.k8s.io";

    private static readonly Dictionary<string, string> AccessFields = new()
    {
        ["spec"] = "The question.",
        ["spec.user"] = "User who would ask.",
        ["spec.groups"] = "Groups of that user.",
        ["spec.uid"] = "Uid of that user.",
        ["spec.extra"] = "Further attributes of that user; not evaluated.",
        ["spec.namespace"] = "Namespace whose rules are asked for.",
        ["spec.resourceAttributes"] = "A question about a resource.",
        ["spec.resourceAttributes.verb"] = "Verb, for instance get or push.",
        ["spec.resourceAttributes.group"] = "API group of the resource.",
        ["spec.resourceAttributes.version"] = "API version; not evaluated.",
        ["spec.resourceAttributes.resource"] = "Plural name of the resource.",
        ["spec.resourceAttributes.subresource"] = "Subresource, if the question is about one.",
        ["spec.resourceAttributes.name"] = "Name of the resource; empty for all.",
        ["spec.resourceAttributes.namespace"] = "Namespace; empty for all.",
        ["spec.resourceAttributes.fieldSelector"] = "Not evaluated.",
        ["spec.resourceAttributes.labelSelector"] = "Not evaluated.",
        ["spec.nonResourceAttributes"] = "A question about a path outside the resources.",
        ["spec.nonResourceAttributes.path"] = "The path.",
        ["spec.nonResourceAttributes.verb"] = "The HTTP method in lower case.",
        ["status"] = "The answer.",
        ["status.allowed"] = "Whether it is allowed.",
        ["status.denied"] = "Whether it is denied explicitly.",
        ["status.reason"] = "Which rule allows it, or what is missing.",
        ["status.evaluationError"] = "What went wrong while answering.",
        ["status.resourceRules"] = "Rules about resources that hold for the user.",
        ["status.nonResourceRules"] = "Rules about paths that hold for the user.",
        ["status.incomplete"] = "Whether rules may be missing from the answer.",
    };

    private static readonly Dictionary<string, string> TokenFields = new()
    {
        ["spec"] = "The question.",
        ["spec.token"] = "The token to check.",
        ["spec.audiences"] = "Audiences that the token is for.",
        ["spec.expirationSeconds"] = "Lifetime asked for: 600 to 86400 seconds.",
        ["spec.boundObjectRef"] = "Not supported: tokens are not bound to objects.",
        ["status"] = "The answer.",
        ["status.authenticated"] = "Whether the token is good.",
        ["status.user"] = "Whom the token stands for.",
        ["status.userInfo"] = "Who asks.",
        ["status.audiences"] = "Audiences that the token is good for.",
        ["status.token"] = "The new token, shown once.",
        ["status.expirationTimestamp"] = "When the token ends.",
        ["status.error"] = "Why the token could not be checked.",
    };

    public static KindDefinition SubjectAccessReview { get; } =
        Access("SubjectAccessReview", typeof(V1SubjectAccessReview), KindScope.Cluster, "Asks whether a user may do something.");

    public static KindDefinition LocalSubjectAccessReview { get; } =
        Access("LocalSubjectAccessReview", typeof(V1LocalSubjectAccessReview), KindScope.Namespaced, "Asks whether a user may do something in one namespace.");

    public static KindDefinition SelfSubjectAccessReview { get; } =
        Access("SelfSubjectAccessReview", typeof(V1SelfSubjectAccessReview), KindScope.Cluster, "Asks whether the asker may do something.");

    public static KindDefinition SelfSubjectRulesReview { get; } =
        Access("SelfSubjectRulesReview", typeof(V1SelfSubjectRulesReview), KindScope.Cluster, "Asks for all rules that hold for the asker in a namespace.");

    public static KindDefinition SelfSubjectReview { get; } =
        Review("SelfSubjectReview", Authentication, typeof(V1SelfSubjectReview), KindScope.Cluster, "Asks who the asker is.", TokenFields, []);

    public static KindDefinition TokenReview { get; } =
        Review("TokenReview", Authentication, typeof(V1TokenReview), KindScope.Cluster, "Asks whom a token stands for.", TokenFields, ["spec", "spec.token"]);

    /// <summary>Body of the <c>token</c> subresource of a ServiceAccount. Not a resource of its own, so not in the catalog.</summary>
    public static KindDefinition TokenRequest { get; } =
        Review("TokenRequest", Authentication, typeof(Authenticationv1TokenRequest), KindScope.Namespaced, "Asks for a token of a ServiceAccount.", TokenFields, ["spec"]);

    public static IReadOnlyList<KindDefinition> All { get; } =
        [SubjectAccessReview, LocalSubjectAccessReview, SelfSubjectAccessReview, SelfSubjectRulesReview, SelfSubjectReview, TokenReview];

    private static KindDefinition Access(string kind, Type model, KindScope scope, string description) =>
        Review(kind, Authorization, model, scope, description, AccessFields, ["spec"]);

    private static KindDefinition Review(string kind, string group, Type model, KindScope scope, string description, Dictionary<string, string> fields, string[] required) => new()
    {
        Kind = kind, Plural = kind.ToLowerInvariant() + "s", Group = group, Version = "v1", Scope = scope, Area = "Native", Context = "identity",
        Description = description,
        NativeType = model,
        RequiredFields = required,
        FieldDescriptions = fields,
        CreateOnly = true,
        MaxNameLength = 253,
    };
}
