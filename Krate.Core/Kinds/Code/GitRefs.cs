using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Code;

/// <summary>The rules of <c>git check-ref-format</c> for what people write into specs.</summary>
public static class GitRefs
{
    public static bool IsBranchName(string name) =>
        !name.StartsWith("refs/", StringComparison.Ordinal) && !name.StartsWith('-') && name != "HEAD" && name != "@" && IsRefPath(name);

    /// <summary>Patterns of refs (<c>refs/heads/release/*</c>): well formed, whatever they match.</summary>
    public static IEnumerable<FieldError> Patterns(JsonObject body, string path)
    {
        foreach (var (at, value) in FieldPath.Find(body, path + "[]"))
        {
            if (!IsRefPattern(value.ToString()))
                yield return Rows.Invalid(at, "must be a ref or pattern such as refs/heads/main or refs/heads/release/*");
        }
    }

    public static bool IsRefPattern(string pattern) =>
        IsRefPath(pattern.Replace("*", "x", StringComparison.Ordinal));

    private static bool IsRefPath(string path) =>
        path.Length is > 0 and <= 255
        && !path.Contains("..", StringComparison.Ordinal) && !path.Contains("@{", StringComparison.Ordinal) && !path.EndsWith('.')
        && path.All(c => c > ' ' && c != 0x7f && c is not ('~' or '^' or ':' or '?' or '*' or '[' or '\\'))
        && path.Split('/').All(s => s.Length > 0 && !s.StartsWith('.') && !s.EndsWith(".lock", StringComparison.Ordinal));
}
