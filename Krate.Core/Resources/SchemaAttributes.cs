using System.ComponentModel.DataAnnotations;

namespace Krate.Core.Resources;

/// <summary>The phases that <c>status.phase</c> of a status record may have. Without it the phase is any word.</summary>
[AttributeUsage(AttributeTargets.Class)]
public class PhasesAttribute(params string[] phases) : Attribute
{
    public IReadOnlyList<string> Phases { get; } = phases;
}

/// <summary>A span of time as Kubernetes and Go write it: <c>30m</c>, <c>1h30m</c>, <c>7d</c>.</summary>
public sealed class DurationAttribute : RegularExpressionAttribute
{
    public DurationAttribute()
        : base(@"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d|w))+$") => ErrorMessage = "must be a span of time such as 30m, 1h30m or 7d";
}

/// <summary>A SHA-256 digest: <c>sha256:</c> and 64 lower-case hexadecimal digits.</summary>
public sealed class DigestAttribute : RegularExpressionAttribute
{
    public DigestAttribute()
        : base("^sha256:[0-9a-f]{64}$") => ErrorMessage = "must be sha256: and 64 lower-case hexadecimal digits";
}

/// <summary>A git object name in full: 40 (SHA-1) or 64 (SHA-256) lower-case hexadecimal digits.</summary>
public sealed class GitShaAttribute : RegularExpressionAttribute
{
    public GitShaAttribute()
        : base("^([0-9a-f]{40}|[0-9a-f]{64})$") => ErrorMessage = "must be a whole git object name: 40 or 64 lower-case hexadecimal digits";
}

/// <summary>An RFC 1123 label: at most 63 lower-case letters, digits and dashes, starting and ending with a letter or digit.</summary>
public sealed class DnsLabelAttribute : RegularExpressionAttribute
{
    public DnsLabelAttribute()
        : base("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$") => ErrorMessage = "must be at most 63 lower-case letters, digits and dashes, starting and ending with a letter or digit";
}

/// <summary>An absolute http or https address.</summary>
public sealed class HttpUrlAttribute : RegularExpressionAttribute
{
    public HttpUrlAttribute()
        : base("^https?://[^\\s/?#]+.*$") => ErrorMessage = "must be an address such as https://example.com";
}
