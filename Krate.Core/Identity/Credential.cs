namespace Krate.Core.Identity;

/// <summary>Who somebody proved to be, and when; the same for a token and a browser session. It says nothing about rights.</summary>
/// <param name="Subject">Kubernetes user name.</param>
/// <param name="IssuedAt">Compared with the User's <c>tokensValidFrom</c>.</param>
public sealed record Credential(string Subject, DateTimeOffset IssuedAt)
{
    /// <summary>Uid of the ServiceAccount that a token was made for.</summary>
    public string? ServiceAccountUid { get; init; }

    /// <summary>A token's expiry.</summary>
    public DateTimeOffset? ValidUntil { get; init; }

    /// <summary>The credential of <c>admin.kubeconfig</c>.</summary>
    public bool IsAdmin { get; init; }
}

/// <summary>Either a value, or why there is none. The reason is for logs, never for the caller who failed.</summary>
public sealed record Verdict<T>(T? Value, string Reason)
    where T : class
{
    public static implicit operator Verdict<T>(T value) => new(value, "");
}

internal static class Refused
{
    public static Verdict<T> Because<T>(string reason)
        where T : class => new(null, reason);
}
