namespace Krate.Core.Resources;

/// <summary>Names that the specification fixes.</summary>
public static class WellKnown
{
    public const string ApiGroup = "krate.a5c.ai";
    public const string ApiVersion = "v1alpha1";
    public const string GroupVersion = ApiGroup + "/" + ApiVersion;

    /// <summary>Namespace of the platform kinds.</summary>
    public const string PlatformNamespace = "krate-system";

    public const string OrgLabel = ApiGroup + "/org";
    public const string NamespaceLabel = ApiGroup + "/namespace";
    public const string RepositoryLabel = ApiGroup + "/repository";
    public const string AgentStackLabel = ApiGroup + "/agent-stack";
    public const string TriggerRuleLabel = ApiGroup + "/trigger-rule";
    public const string DispatchRunLabel = ApiGroup + "/dispatch-run";
    public const string SourceKindLabel = ApiGroup + "/source-kind";
    public const string SourceNameLabel = ApiGroup + "/source-name";
    public const string RunnerPoolLabel = ApiGroup + "/runner-pool";
    public const string ServiceAccountLabel = ApiGroup + "/service-account";
    public const string FailureSignatureLabel = ApiGroup + "/failure-signature";
    public const string TrustTierLabel = ApiGroup + "/trust-tier";

    /// <summary>Deleting an organization with repositories needs this annotation with the slug as value.</summary>
    public const string ConfirmDeleteAnnotation = ApiGroup + "/confirm-delete";

    /// <summary>Read-only: keys, sizes, versions and times of change of a Secret whose values Krate never returns.</summary>
    public const string SecretKeysAnnotation = ApiGroup + "/secret-keys";

    /// <summary>A run with a key is made once in 24 hours, however often it is asked for.</summary>
    public const string IdempotencyAnnotation = ApiGroup + "/idempotency-key";

    /// <summary>Digest of what such a run was asked for.</summary>
    public const string RequestDigestAnnotation = ApiGroup + "/request-digest";

    /// <summary>Digest of the context that a person was shown; a run with another one is not made.</summary>
    public const string ExpectedContextAnnotation = ApiGroup + "/expected-context-digest";

    public const string LastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration";

    public const string OrgFinalizer = ApiGroup + "/organization";

    /// <summary>Holds a deleted Repository until its git directory is in the trash.</summary>
    public const string RepositoryFinalizer = ApiGroup + "/repository";

    /// <summary>Holds a deleted AgentRoleBinding until what it gave cluster-wide is gone.</summary>
    public const string RoleBindingFinalizer = ApiGroup + "/role-binding";

    public const string MastersGroup = "system:masters";
    public const string AuthenticatedGroup = "system:authenticated";
    public const string UnauthenticatedGroup = "system:unauthenticated";
    public const string AnonymousUser = "system:anonymous";
    public const string PlatformAdminsGroup = "krate:platform-admins";
    public const string AdminUser = "krate-admin";
    public const string LocalDeveloper = "local-developer";

    /// <summary>Group of an org's members: <c>krate:org:acme</c>.</summary>
    public static string OrgGroup(string org) => $"krate:org:{org}";

    /// <summary>Group of a team: <c>krate:org:acme:team:core</c>.</summary>
    public static string TeamGroup(string org, string team) => $"krate:org:{org}:team:{team}";

    /// <summary>Namespace of an org unless it names another.</summary>
    public static string OrgNamespace(string slug) => $"krate-org-{slug}";
}
