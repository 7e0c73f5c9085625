using System.Text.RegularExpressions;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.SignIn;

/// <summary>A person as a provider tells of them, within the bounds of what Krate keeps.</summary>
/// <param name="Subject">The provider's own stable name; what people are known by.</param>
/// <param name="Login">The name that people have there, which may change hands.</param>
public sealed partial record ProviderProfile(string Subject, string Login)
{
    private const int MostGroups = 200, LongestGroup = 200;

    public string? DisplayName { get; init; }

    /// <summary>E-mail addresses that the provider says are the person's.</summary>
    public IReadOnlyList<string> VerifiedEmails { get; init; } = [];

    /// <summary>Without the provider's name before them.</summary>
    public IReadOnlyList<string> Groups { get; init; } = [];

    /// <summary>The profile, when the provider lets this person in.</summary>
    /// <exception cref="ApiException">403 that says what is missing.</exception>
    public ProviderProfile Admitted(AuthProviderSpec provider)
    {
        if (Subject.Length is 0 or > 255 || Subject.Any(char.IsControl)) throw ApiException.Forbidden("The sign-in provider does not say who you are (no stable id of 1 to 255 characters)");
        if (!LoginForm().IsMatch(Login)) throw ApiException.Forbidden("Your name at the sign-in provider cannot be a user name here: 1 to 100 letters, digits and . _ @ + - are");
        if (provider.AllowedDomains is { Count: > 0 } domains && !VerifiedEmails.Any(e => domains.Contains(e[(e.LastIndexOf('@') + 1)..], StringComparer.OrdinalIgnoreCase)))
            throw ApiException.Forbidden("Only people with a verified e-mail address of certain domains may sign in here; the sign-in provider names none of yours");
        if (provider.AllowedGroups is { Count: > 0 } groups && !Groups.Any(g => groups.Contains(g, StringComparer.Ordinal)))
            throw ApiException.Forbidden("Only members of certain groups may sign in here; the sign-in provider names none of yours");
        return this with { DisplayName = Name(DisplayName) ?? Login, Groups = [.. Groups.Where(g => g.Length is > 0 and <= LongestGroup && !g.Any(char.IsControl)).Distinct().Take(MostGroups)] };
    }

    private static string? Name(string? text)
    {
        var plain = new string([.. (text ?? "").Where(c => !char.IsControl(c))]).Trim();
        return plain.Length is 0 or > 200 ? null : plain;
    }

    [GeneratedRegex(@"^[A-Za-z0-9_][A-Za-z0-9._@+-]{0,99}\z", RegexOptions.CultureInvariant)]
    private static partial Regex LoginForm();
}
