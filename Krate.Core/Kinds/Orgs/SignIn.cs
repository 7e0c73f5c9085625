using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Orgs;

public sealed record InviteSpec : ProductSpec
{
    [Description("E-mail address that the invitation goes to.")]
    [MaxLength(254)]
    public string? Email { get; init; }

    [Description("Role that the person gets on acceptance: owner, maintainer or developer; each is membership in the Team of that name.")]
    [AllowedValues(InviteRole.Owner, InviteRole.Maintainer, InviteRole.Developer)]
    public string? Role { get; init; }

    [Description("When it can no longer be accepted; never when left out.")]
    public DateTimeOffset? ExpiresAt { get; init; }
}

[Phases(Pending, Accepted)]
public sealed record InviteStatus : ProductStatus
{
    public const string Pending = "Pending";
    public const string Accepted = "Accepted";

    [Description("User who accepted it, by signing in with the e-mail address.")]
    public string? AcceptedBy { get; init; }
}

public static class InviteKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "Invite", Plural = "invites", Context = "identity", Storage = "etcd", Scope = KindScope.Org, Area = "Orgs",
        Description = "An invitation of a person into an organization.",
        SpecType = typeof(InviteSpec),
        StatusType = typeof(InviteStatus),
        ServerStatus = true,
        FirstPhase = InviteStatus.Pending,
        PreserveUnknownSpec = true,
        RequiredSpec = ["email", "role"],
        FixedSpecFields = ["email", "role"],
        Columns = [new("Email", "spec.email"), new("Role", "spec.role"), Rows.Phase, new("Expires", "spec.expiresAt"), new("Accepted By", "status.acceptedBy", Wide: true)],
        Validate = body => People.Email(body, "spec.email"),
    };

    /// <summary>Whether it may still be accepted.</summary>
    public static bool IsOpen(Resource invite, DateTimeOffset now) =>
        !invite.IsDeleting && invite.Body.Text("status.phase") != InviteStatus.Accepted && !(invite.Spec<InviteSpec>().ExpiresAt <= now);
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

    [Description("Who at the provider says the subject: an OpenID Connect issuer, or the address of GitHub's API. When the provider of that name becomes another, so do its subjects. Anybody when left out.")]
    [MaxLength(2048)]
    public string? Issuer { get; init; }
}

public sealed record IdentityMappingStatus : ProductStatus
{
    [Description("Groups that the provider named at the last sign-in; as Kubernetes groups they carry the provider's name before them.")]
    public IReadOnlyList<string>? Groups { get; init; }

    [Description("When the person last signed in this way.")]
    public DateTimeOffset? LastSignInAt { get; init; }
}

public static class IdentityMappingKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "IdentityMapping", Plural = "identitymappings", Context = "identity", Storage = "etcd", Scope = KindScope.Platform, Area = "Orgs",
        Description = "Says which User a sign-in at a provider is.",
        ShortNames = ["idmap"],
        SpecType = typeof(IdentityMappingSpec),
        StatusType = typeof(IdentityMappingStatus),
        ServerStatus = true,
        PreserveUnknownSpec = true,
        RequiredSpec = ["user", "provider", "subject"],
        FixedSpecFields = ["provider", "subject", "issuer"],
        Columns = [new("User", "spec.user"), new("Provider", "spec.provider"), new("Subject", "spec.subject")],
        References = [new("spec.user", "User")],
    };
}
