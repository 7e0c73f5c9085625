using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.SignIn;

public sealed record AuthProviderSpec : ProductSpec
{
    [Description("Kind of provider: oidc for OpenID Connect, github for GitHub and GitHub Enterprise, headers for a proxy that has signed people in.")]
    [AllowedValues(AuthProviderKind.GitHub, AuthProviderKind.Oidc, AuthProviderKind.Headers)]
    public string? Type { get; init; }

    [Description("Name on the button of the sign-in page.")]
    [MaxLength(100)]
    public string? DisplayName { get; init; }

    [Description("oidc: issuer, as the provider's discovery document says it.")]
    [HttpUrl]
    [MaxLength(2048)]
    public string? Issuer { get; init; }

    [Description("Name of this Krate at the provider.")]
    [MaxLength(255)]
    public string? ClientId { get; init; }

    [Description("Secret in krate-system with what proves Krate to the provider; oidc clients without a secret leave it out.")]
    public SecretKeyRef? ClientSecretRef { get; init; }

    [Description("What is asked for; openid profile email unless set, for github read:user user:email.")]
    [MaxLength(100)]
    public IReadOnlyList<string>? Scopes { get; init; }

    [Description("oidc: claim with the name that people have at the provider; preferred_username unless set. Take one that people cannot change to another's.")]
    [MaxLength(100)]
    public string? UsernameClaim { get; init; }

    [Description("oidc: claim with the groups; groups unless set.")]
    [MaxLength(100)]
    public string? GroupsClaim { get; init; }

    [Description("github: where browsers are sent; GitHub's own unless set.")]
    [HttpUrl]
    [MaxLength(2048)]
    public string? AuthorizationEndpoint { get; init; }

    [Description("github: where codes are exchanged; GitHub's own unless set.")]
    [HttpUrl]
    [MaxLength(2048)]
    public string? TokenEndpoint { get; init; }

    [Description("github: address of the API's user; GitHub's own unless set.")]
    [HttpUrl]
    [MaxLength(2048)]
    public string? UserInfoEndpoint { get; init; }

    [Description("Only people with a verified e-mail address in one of these domains may sign in; everybody when empty.")]
    [MaxLength(253)]
    public IReadOnlyList<string>? AllowedDomains { get; init; }

    [Description("Only members of one of these groups (github: organizations) may sign in; everybody when empty.")]
    [MaxLength(253)]
    public IReadOnlyList<string>? AllowedGroups { get; init; }

    [Description("headers: header with the person's name, which is also what they are known by.")]
    [RegularExpression(AuthProviderKind.HeaderName)]
    public string? UserHeader { get; init; }

    [Description("headers: header with groups, separated by commas.")]
    [RegularExpression(AuthProviderKind.HeaderName)]
    public string? GroupsHeader { get; init; }

    [Description("headers: header with an e-mail address that the proxy has verified.")]
    [RegularExpression(AuthProviderKind.HeaderName)]
    public string? EmailHeader { get; init; }

    [Description("headers: networks (10.1.2.3/32) whose connections may carry the headers. What X-Forwarded-For says never counts.")]
    [MaxLength(50)]
    public IReadOnlyList<string>? TrustedProxies { get; init; }
}

[Phases(Pending, Ready, Degraded)]
public sealed record AuthProviderStatus : ProductStatus
{
    /// <summary>It has never worked: nobody can have signed in with it.</summary>
    public const string Pending = "Pending";
    public const string Ready = "Ready";

    /// <summary>It has worked.</summary>
    public const string Degraded = "Degraded";

    [Description("Issuer of its discovery document.")]
    public string? Issuer { get; init; }

    [Description("Where browsers are sent.")]
    public string? AuthorizationEndpoint { get; init; }

    [Description("Where codes are exchanged.")]
    public string? TokenEndpoint { get; init; }

    [Description("Where more is told about who signs in.")]
    public string? UserInfoEndpoint { get; init; }

    [Description("Where the keys of its signatures are.")]
    public string? KeysEndpoint { get; init; }

    [Description("How Krate proves itself when it exchanges a code.")]
    [AllowedValues("basic", "post")]
    public string? ClientAuthentication { get; init; }
}

public static class AuthProviderKind
{
    public const string GitHub = "github";
    public const string Oidc = "oidc";
    public const string Headers = "headers";

    /// <summary>Key of the Secret unless the reference names another.</summary>
    public const string SecretKey = "secret";

    internal const string HeaderName = "^[A-Za-z][A-Za-z0-9-]{0,63}$";

    public static KindDefinition Row { get; } = new()
    {
        Kind = "AuthProvider", Plural = "authproviders", Context = "identity", Storage = "etcd", Scope = KindScope.Platform, Area = "Orgs",
        Description = "A provider that people sign in with.",
        SpecType = typeof(AuthProviderSpec),
        StatusType = typeof(AuthProviderStatus),
        ServerStatus = true,
        RequiredSpec = ["type"],
        FixedSpecFields = ["type"],
        // Its name stands before every name that it gives.
        MaxNameLength = 30,
        Columns = [new("Type", "spec.type"), new("Display Name", "spec.displayName"), Rows.Phase, Rows.Ready, Rows.Reason],
        References = [new("spec.clientSecretRef.name", "Secret") { NamespaceField = "namespace" }],
        Validate = body => Rows.NoCredentialsInUrl(body, "spec.issuer")
            .Concat(Rows.NoCredentialsInUrl(body, "spec.authorizationEndpoint"))
            .Concat(Rows.NoCredentialsInUrl(body, "spec.tokenEndpoint"))
            .Concat(Rows.NoCredentialsInUrl(body, "spec.userInfoEndpoint"))
            .Concat(Rows.OwnNamespace(body, "spec.clientSecretRef.namespace"))
            .Concat(Name(body))
            .Concat(Networks(body)),
    };

    private static IEnumerable<FieldError> Name(JsonObject body)
    {
        if (body.Text("metadata.name") is "system" or "krate")
            yield return Rows.Invalid("metadata.name", "must not be system or krate: it stands before the names of people and groups");
    }

    private static IEnumerable<FieldError> Networks(JsonObject body)
    {
        foreach (var (field, value) in FieldPath.Find(body, "spec.trustedProxies[]"))
        {
            if (value.Text() is { } text && !IPNetwork.TryParse(text, out _))
                yield return Rows.Invalid(field, "must be a network such as 10.1.2.0/24");
        }
    }
}
