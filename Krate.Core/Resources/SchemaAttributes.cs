using System.ComponentModel.DataAnnotations;

namespace Krate.Core.Resources;

/// <summary>The phases that <c>status.phase</c> of a status record may have. Without it the phase is any word.</summary>
[AttributeUsage(AttributeTargets.Class)]
public class PhasesAttribute(params string[] phases) : Attribute
{
    public IReadOnlyList<string> Phases { get; } = phases;
}

/// <summary>A span of time as Kubernetes and Go write it: <c>30m</c>, <c>1h30m</c>, <c>7d</c>.</summary>
public sealed class DurationAttribute() : RegularExpressionAttribute(@"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d|w))+$");

/// <summary>A SHA-256 digest: <c>sha256:</c> and 64 lower-case hexadecimal digits.</summary>
public sealed class DigestAttribute() : RegularExpressionAttribute("^sha256:[0-9a-f]{64}$");

/// <summary>A git object name in full: 40 (SHA-1) or 64 (SHA-256) lower-case hexadecimal digits.</summary>
public sealed class GitShaAttribute() : RegularExpressionAttribute("^([0-9a-f]{40}|[0-9a-f]{64})$");

/// <summary>An RFC 1123 label: at most 63 lower-case letters, digits and dashes, starting and ending with a letter or digit.</summary>
public sealed class DnsLabelAttribute() : RegularExpressionAttribute("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$");

/// <summary>An absolute http or https address.</summary>
public sealed class HttpUrlAttribute() : RegularExpressionAttribute("^https?://[^\\s/?#]+.*$");
