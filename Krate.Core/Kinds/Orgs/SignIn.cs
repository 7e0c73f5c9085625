using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Orgs;

public sealed record InviteSpec : ProductSpec
{
    [Description("E-mail address that the invitation goes to.")]
    [MaxLength(254)]
    public string? Email { get; init; }

    [Description("Role that the person gets on acceptance.")]
    [MaxLength(63)]
    public string? Role { get; init; }
}

public static class InviteKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "Invite", Plural = "invites", Context = "identity", Storage = "etcd", Scope = KindScope.Org, Area = "Orgs",
        Description = "An invitation of a person into an organization.",
        SpecType = typeof(InviteSpec),
        StatusType = typeof(PlainStatus),
        PreserveUnknownSpec = true,
        RequiredSpec = ["email", "role"],
        Columns = [new("Email", "spec.email"), new("Role", "spec.role"), Rows.Phase],
        Validate = body => People.Email(body, "spec.email"),
    };
}

public sealed record IdentityMappingSpec : ProductSpec
{
    [Description("User that signs in this way.")]
    public string? User { get; init; }

    [Description("Sign-in provider (github, an OIDC provider's name).")]
    [MaxLength(63)]
    public string? Provider { get; init; }

    [Description("The provider's own stable name of the person.")]
    [MaxLength(255)]
    public string? Subject { get; init; }
}

public static class IdentityMappingKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "IdentityMapping", Plural = "identitymappings", Context = "identity", Storage = "etcd", Scope = KindScope.Platform, Area = "Orgs",
        Description = "Says which User a sign-in at a provider is.",
        ShortNames = ["idmap"],
        SpecType = typeof(IdentityMappingSpec),
        StatusType = typeof(PlainStatus),
        PreserveUnknownSpec = true,
        RequiredSpec = ["user", "provider", "subject"],
        FixedSpecFields = ["provider", "subject"],
        Columns = [new("User", "spec.user"), new("Provider", "spec.provider"), new("Subject", "spec.subject")],
        References = [new("spec.user", "User")],
    };
}

public sealed record AuthProviderSpec : ProductSpec
{
    [Description("Kind of provider (github, oidc).")]
    [MaxLength(63)]
    public string? Type { get; init; }
}

public static class AuthProviderKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AuthProvider", Plural = "authproviders", Context = "identity", Storage = "etcd", Scope = KindScope.Platform, Area = "Orgs",
        Description = "A provider that people sign in with.",
        SpecType = typeof(AuthProviderSpec),
        StatusType = typeof(PlainStatus),
        PreserveUnknownSpec = true,
        RequiredSpec = ["type"],
        Columns = [new("Type", "spec.type"), Rows.Phase, Rows.Ready],
    };
}
