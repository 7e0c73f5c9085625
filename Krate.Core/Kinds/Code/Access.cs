using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Code;

public sealed record SSHKeySpec : ProductSpec
{
    [Description("Whose key it is and what it opens.")]
    [MaxLength(253)]
    public string? Scope { get; init; }

    [Description("The public key, as in authorized_keys. Never a private key.")]
    [MaxLength(16_384)]
    public string? Key { get; init; }
}

public static class SSHKeyKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "SSHKey", Plural = "sshkeys", Context = "data-plane", Storage = "etcd", Scope = KindScope.Org, Area = "Code",
        Description = "A public key for git over SSH.",
        SpecType = typeof(SSHKeySpec),
        StatusType = typeof(PlainStatus),
        PreserveUnknownSpec = true,
        RequiredSpec = ["scope", "key"],
        Columns = [new("Scope", "spec.scope"), Rows.Phase],
        Validate = Validate,
    };

    private static IEnumerable<FieldError> Validate(JsonObject body)
    {
        if (body.Text("spec.key") is { } key && key.Contains("PRIVATE KEY", StringComparison.Ordinal))
            yield return new FieldError("SECRET_VALUE_REJECTED", "spec.key", "must be the public key; this is a private one, which is now known to whoever saw this request");
    }
}

public sealed record RepositoryPermissionSpec : ProductSpec
{
    [Description("Repository that the permission is for.")]
    public string? Repository { get; init; }

    [Description("Who gets it.")]
    public PermissionSubject? Subject { get; init; }

    [Description("How much: read, write (push), maintain (settings, merge), admin (permissions, deletion).")]
    [AllowedValues("read", "write", "maintain", "admin")]
    public string? Permission { get; init; }
}

public sealed record PermissionSubject
{
    [Description("user or team.")]
    [Required]
    [AllowedValues("user", "team")]
    public string? Kind { get; init; }

    [Description("Name of the User or Team.")]
    [Required]
    public string? Name { get; init; }
}

public static class RepositoryPermissionKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "RepositoryPermission", Plural = "repositorypermissions", Context = "data-plane", Storage = "etcd", Scope = KindScope.Org, Area = "Code",
        Description = "What a user or team may do in one repository.",
        ShortNames = ["repoperm"],
        SpecType = typeof(RepositoryPermissionSpec),
        StatusType = typeof(PlainStatus),
        RequiredSpec = ["repository", "subject", "permission"],
        FixedSpecFields = ["repository"],
        RepositoryPath = "spec.repository",
        Columns =
        [
            new("Repository", "spec.repository"), new("Subject", "spec.subject.name"), new("Subject Kind", "spec.subject.kind"),
            new("Permission", "spec.permission"), Rows.Ready,
        ],
        References =
        [
            new("spec.repository", "Repository"),
            new("spec.subject.name", "") { KindField = "kind", KindNames = new Dictionary<string, string> { ["user"] = "User", ["team"] = "Team" } },
        ],
        DerivedLabels = [Rows.Repository],
    };
}
