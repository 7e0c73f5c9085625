using static Krate.Web.Api.Protobuf.FieldType;

namespace Krate.Web.Api.Protobuf;

internal enum FieldType
{
    Text,
    Bytes,
    Bool,

    /// <summary>A number that may be absent: a zero counts.</summary>
    Integer,

    /// <summary>A number whose zero means absent.</summary>
    Count,
    Time,
    MicroTime,
    TextMap,
    BytesMap,

    /// <summary>A map of lists of texts.</summary>
    ListMap,

    /// <summary>fieldsV1: JSON inside a message.</summary>
    Fields,
    Object,
}

internal sealed record ProtobufField(string Name, FieldType Type = Text, bool IsList = false, ProtobufMessage? Message = null);

internal sealed class ProtobufMessage(params (int Number, ProtobufField Field)[] fields)
{
    public IReadOnlyDictionary<int, ProtobufField> Fields { get; } = fields.ToDictionary(f => f.Number, f => f.Field);
}

/// <summary>The field numbers of Kubernetes' generated.proto files, for the kinds that Krate serves. Numbers never change.</summary>
internal static class ProtobufSchema
{
    private static readonly ProtobufMessage OwnerReference = new((1, S("kind")), (3, S("name")), (4, S("uid")), (5, S("apiVersion")), (6, F("controller", Bool)), (7, F("blockOwnerDeletion", Bool)));

    private static readonly ProtobufMessage ManagedFieldsEntry = new(
        (1, S("manager")), (2, S("operation")), (3, S("apiVersion")), (4, F("time", Time)), (6, S("fieldsType")), (7, F("fieldsV1", Fields)), (8, S("subresource")));

    private static readonly ProtobufMessage ObjectMeta = new(
        (1, S("name")), (2, S("generateName")), (3, S("namespace")), (4, S("selfLink")), (5, S("uid")), (6, S("resourceVersion")), (7, F("generation", Count)),
        (8, F("creationTimestamp", Time)), (9, F("deletionTimestamp", Time)), (10, F("deletionGracePeriodSeconds", Integer)), (11, F("labels", TextMap)),
        (12, F("annotations", TextMap)), (13, Many("ownerReferences", OwnerReference)), (14, Texts("finalizers")), (17, Many("managedFields", ManagedFieldsEntry)));

    private static readonly ProtobufMessage ObjectReference = new(
        (1, S("kind")), (2, S("namespace")), (3, S("name")), (4, S("uid")), (5, S("apiVersion")), (6, S("resourceVersion")), (7, S("fieldPath")));

    private static readonly ProtobufMessage LocalObjectReference = new((1, S("name")));

    private static readonly ProtobufMessage Condition = new((1, S("type")), (2, S("status")), (4, F("lastTransitionTime", Time)), (5, S("reason")), (6, S("message")));

    private static readonly ProtobufMessage LabelSelector = new(
        (1, F("matchLabels", TextMap)), (2, Many("matchExpressions", new((1, S("key")), (2, S("operator")), (3, Texts("values"))))));

    private static readonly ProtobufMessage PolicyRule = new((1, Texts("verbs")), (2, Texts("apiGroups")), (3, Texts("resources")), (4, Texts("resourceNames")), (5, Texts("nonResourceURLs")));

    private static readonly ProtobufMessage Subject = new((1, S("kind")), (2, S("apiGroup")), (3, S("name")), (4, S("namespace")));

    private static readonly ProtobufMessage RoleRef = new((1, S("apiGroup")), (2, S("kind")), (3, S("name")));

    private static readonly ProtobufMessage Binding = new(Meta(), (2, Many("subjects", Subject)), (3, One("roleRef", RoleRef)));

    private static readonly ProtobufMessage SelectorAttributes = new((1, S("rawSelector")), (2, Many("requirements", new((1, S("key")), (2, S("operator")), (3, Texts("values"))))));

    private static readonly ProtobufMessage ResourceAttributes = new(
        (1, S("namespace")), (2, S("verb")), (3, S("group")), (4, S("version")), (5, S("resource")), (6, S("subresource")), (7, S("name")),
        (8, One("fieldSelector", SelectorAttributes)), (9, One("labelSelector", SelectorAttributes)));

    private static readonly ProtobufMessage NonResourceAttributes = new((1, S("path")), (2, S("verb")));

    private static readonly ProtobufMessage SubjectAccessReview = new(Meta(), (2, One("spec", new(
        (1, One("resourceAttributes", ResourceAttributes)), (2, One("nonResourceAttributes", NonResourceAttributes)), (3, S("user")), (4, Texts("groups")), (5, F("extra", ListMap)), (6, S("uid"))))));

    private static readonly Dictionary<(string ApiVersion, string Kind), ProtobufMessage> Messages = new()
    {
        [("v1", "Namespace")] = new(Meta(), (2, One("spec", new((1, Texts("finalizers"))))), (3, One("status", new((1, S("phase")), (2, Many("conditions", Condition)))))),
        [("v1", "ServiceAccount")] = new(Meta(), (2, Many("secrets", ObjectReference)), (3, Many("imagePullSecrets", LocalObjectReference)), (4, F("automountServiceAccountToken", Bool))),
        [("v1", "Secret")] = new(Meta(), (2, F("data", BytesMap)), (3, S("type")), (4, F("stringData", TextMap)), (5, F("immutable", Bool))),
        [("v1", "ConfigMap")] = new(Meta(), (2, F("data", TextMap)), (3, F("binaryData", BytesMap)), (4, F("immutable", Bool))),
        [("v1", "Event")] = new(
            Meta(), (2, One("involvedObject", ObjectReference)), (3, S("reason")), (4, S("message")), (5, One("source", new((1, S("component")), (2, S("host"))))),
            (6, F("firstTimestamp", Time)), (7, F("lastTimestamp", Time)), (8, F("count", Count)), (9, S("type")), (10, F("eventTime", MicroTime)),
            (11, One("series", new((1, F("count", Count)), (2, F("lastObservedTime", MicroTime))))), (12, S("action")), (13, One("related", ObjectReference)),
            (14, S("reportingComponent")), (15, S("reportingInstance"))),
        [("rbac.authorization.k8s.io/v1", "Role")] = new(Meta(), (2, Many("rules", PolicyRule))),
        [("rbac.authorization.k8s.io/v1", "ClusterRole")] = new(Meta(), (2, Many("rules", PolicyRule)), (3, One("aggregationRule", new((1, Many("clusterRoleSelectors", LabelSelector)))))),
        [("rbac.authorization.k8s.io/v1", "RoleBinding")] = Binding,
        [("rbac.authorization.k8s.io/v1", "ClusterRoleBinding")] = Binding,
        [("coordination.k8s.io/v1", "Lease")] = new(Meta(), (2, One("spec", new(
            (1, S("holderIdentity")), (2, F("leaseDurationSeconds", Integer)), (3, F("acquireTime", MicroTime)), (4, F("renewTime", MicroTime)),
            (5, F("leaseTransitions", Integer)), (6, S("strategy")), (7, S("preferredHolder")))))),
        [("authorization.k8s.io/v1", "SubjectAccessReview")] = SubjectAccessReview,
        [("authorization.k8s.io/v1", "LocalSubjectAccessReview")] = SubjectAccessReview,
        [("authorization.k8s.io/v1", "SelfSubjectAccessReview")] = new(Meta(), (2, One("spec", new((1, One("resourceAttributes", ResourceAttributes)), (2, One("nonResourceAttributes", NonResourceAttributes)))))),
        [("authorization.k8s.io/v1", "SelfSubjectRulesReview")] = new(Meta(), (2, One("spec", new((1, S("namespace")))))),
        [("authentication.k8s.io/v1", "SelfSubjectReview")] = new(Meta()),
        [("authentication.k8s.io/v1", "TokenReview")] = new(Meta(), (2, One("spec", new((1, S("token")), (2, Texts("audiences")))))),
        [("authentication.k8s.io/v1", "TokenRequest")] = new(Meta(), (2, One("spec", new(
            (1, Texts("audiences")), (3, One("boundObjectRef", new((1, S("kind")), (2, S("apiVersion")), (3, S("name")), (4, S("uid"))))), (4, F("expirationSeconds", Integer)))))),
        [("v1", "DeleteOptions")] = new(
            (1, F("gracePeriodSeconds", Integer)), (2, One("preconditions", new((1, S("uid")), (2, S("resourceVersion"))))), (3, F("orphanDependents", Bool)),
            (4, S("propagationPolicy")), (5, Texts("dryRun"))),
    };

    /// <summary>DeleteOptions come under the version of the group that they are sent to.</summary>
    public static ProtobufMessage? Find(string apiVersion, string kind) =>
        Messages.GetValueOrDefault((kind == "DeleteOptions" ? "v1" : apiVersion, kind));

    private static (int, ProtobufField) Meta() => (1, One("metadata", ObjectMeta));

    private static ProtobufField S(string name) => new(name);

    private static ProtobufField Texts(string name) => new(name, IsList: true);

    private static ProtobufField F(string name, FieldType type) => new(name, type);

    private static ProtobufField One(string name, ProtobufMessage message) => new(name, FieldType.Object, Message: message);

    private static ProtobufField Many(string name, ProtobufMessage message) => new(name, FieldType.Object, true, message);
}
