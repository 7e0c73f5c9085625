using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Krate.Core.Identity;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Orgs;

public sealed record UserSpec : ProductSpec
{
    [Description("Name for people.")]
    [MaxLength(200)]
    public string? DisplayName { get; init; }

    [Description("E-mail address.")]
    [MaxLength(254)]
    public string? Email { get; init; }

    [Description("Kubernetes user name that this person acts as (github:mira).")]
    [MaxLength(253)]
    public string? Username { get; init; }

    [Description("Whether the person administers the platform.")]
    public bool? Admin { get; init; }

    [Description("Whether the person is locked out; takes effect at once.")]
    public bool? Disabled { get; init; }

    [Description("Tokens and sessions from before this time are no longer valid.")]
    public DateTimeOffset? TokensValidFrom { get; init; }
}

public static class UserKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "User", Plural = "users", Context = "identity", Storage = "etcd", Scope = KindScope.Platform, Area = "Orgs",
        Description = "A person who may sign in.",
        SpecType = typeof(UserSpec),
        StatusType = typeof(PlainStatus),
        RequiredSpec = ["displayName", "email"],
        Actions = ["token", "revoke-tokens"],
        Columns = [new("Username", "spec.username"), new("Display Name", "spec.displayName"), new("Email", "spec.email"), new("Admin", "spec.admin", "boolean"), new("Disabled", "spec.disabled", "boolean")],
        Validate = body => People.Email(body, "spec.email"),
    };

    /// <summary>The name that Kubernetes knows the person by.</summary>
    public static string NameOf(Resource user) => IdentityResolver.NameOf(user);
}

public sealed record TeamSpec : ProductSpec
{
    [Description("Name for people.")]
    [MaxLength(200)]
    public string? DisplayName { get; init; }

    [Description("Users who belong to the team.")]
    public IReadOnlyList<string>? Members { get; init; }

    [Description("Users who belong to the team and may change it.")]
    public IReadOnlyList<string>? Maintainers { get; init; }
}

public static class TeamKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "Team", Plural = "teams", Context = "identity", Storage = "etcd", Scope = KindScope.Org, Area = "Orgs",
        Description = "Users of an organization under one name; a Kubernetes group for RBAC.",
        SpecType = typeof(TeamSpec),
        StatusType = typeof(PlainStatus),
        RequiredSpec = ["displayName"],
        Columns = [new("Display Name", "spec.displayName"), new("Members", "spec.members"), new("Maintainers", "spec.maintainers")],
        References = [new("spec.members[]", "User"), new("spec.maintainers[]", "User")],
    };
}

/// <summary>Rules about people's attributes.</summary>
internal static class People
{
    /// <summary>One @ with something on both sides, a dot in the host, no spaces or control characters. More cannot be known without sending to it.</summary>
    public static IEnumerable<FieldError> Email(JsonObject body, string path)
    {
        if (body.Text(path) is { Length: > 0 } address && !IsEmail(address))
            yield return Rows.Invalid(path, "must be an e-mail address such as mira@example.com");
    }

    public static bool IsEmail(string address)
    {
        var at = address.IndexOf('@', StringComparison.Ordinal);
        if (at <= 0 || at != address.LastIndexOf('@') || address.Any(c => char.IsWhiteSpace(c) || char.IsControl(c) || c is '<' or '>' or ',')) return false;
        var host = address[(at + 1)..];
        return host.Length > 0 && (host == "localhost" || host.Contains('.', StringComparison.Ordinal)) && !host.StartsWith('.') && !host.EndsWith('.');
    }
}
