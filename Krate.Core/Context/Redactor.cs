using System.Text;
using System.Text.RegularExpressions;
using Krate.Core.Gateway;

namespace Krate.Core.Context;

/// <summary>
/// Takes secrets out of what agents are given and say: first the values that the organization keeps, in all the forms that programs print, then what
/// only a secret looks like. The order is that of spec 06; a place is counted once, under what found it first. It counts, and repeats nothing. Thread-safe.
/// </summary>
public sealed partial class Redactor
{
    private readonly KnownSecrets known;
    private readonly (string Category, Regex Pattern)[] patterns;

    /// <param name="deniedKeys">Names of keys that a review denied: what is assigned to one is taken out.</param>
    internal Redactor(KnownSecrets known, IEnumerable<string> deniedKeys)
    {
        this.known = known;
        var denied = deniedKeys.Where(k => k.Length > 0).Distinct(StringComparer.Ordinal).Select(Regex.Escape).ToList();
        patterns = denied.Count == 0 ? Patterns : [(DeniedKey, new($@"\b({string.Join('|', denied)})\b[""']?\s*[:=]\s*[""']?(?<secret>[^\s""',;]+)", Options)), .. Patterns];
    }

    public const string KnownSecret = "secret";
    public const string DeniedKey = "denied-key";

    /// <returns>The text with <c>[REDACTED:category]</c> in place of each find, and how many there were of each category.</returns>
    public (string Text, IReadOnlyDictionary<string, int> Counts) Redact(string text)
    {
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var clean = RedactKnown(text, counts);
        foreach (var (category, pattern) in patterns) clean = Replace(clean, category, pattern, counts);
        return (clean, counts);
    }

    private string RedactKnown(string text, SortedDictionary<string, int> counts)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var found = known.Mask(bytes);
        if (found.Count == 0) return text;
        var clean = new StringBuilder();
        var (at, covered) = (0, 0);
        var original = Encoding.UTF8.GetBytes(text);
        foreach (var (start, length) in found)
        {
            // One may begin within another and go on behind it: together they are one place.
            if (start >= covered)
            {
                clean.Append(Encoding.UTF8.GetString(original, at, start - at)).Append(Mark(KnownSecret));
                counts[KnownSecret] = counts.GetValueOrDefault(KnownSecret) + 1;
            }

            covered = Math.Max(covered, start + length);
            at = covered;
        }

        return clean.Append(Encoding.UTF8.GetString(original, at, original.Length - at)).ToString();
    }

    private static string Replace(string text, string category, Regex pattern, SortedDictionary<string, int> counts) => pattern.Replace(text, match =>
    {
        var secret = match.Groups["secret"];
        if (secret.Value.StartsWith(Begin, StringComparison.Ordinal) || IsCode(match, secret)) return match.Value;
        if (!secret.Value.Contains(Begin, StringComparison.Ordinal)) counts[category] = counts.GetValueOrDefault(category) + 1;
        var start = secret.Index - match.Index;
        return $"{match.Value[..start]}{Mark(category)}{match.Value[(start + secret.Length)..]}";
    });

    /// <summary>A word where a value would be: a path of names that a program reads the value from, or prose. A value in quotes is a value.</summary>
    private static bool IsCode(Match match, Group secret) =>
        match.Groups["word"].Success && !secret.Value.Any(char.IsAsciiDigit) && (match.Groups["word"].Value.Equals("token", StringComparison.OrdinalIgnoreCase) || NamePath().IsMatch(secret.Value))
        && match.ValueSpan[secret.Index - match.Index - 1] is not ('"' or '\'');

    private const string Begin = "[REDACTED:";

    private static string Mark(string category) => $"{Begin}{category}]";

    private const RegexOptions Options = RegexOptions.CultureInvariant | RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture;

    private static readonly (string Category, Regex Pattern)[] Patterns =
    [
        ("private-key", PrivateKey()), ("kubeconfig", Kubeconfig()), ("provider-token", ProviderToken()), ("bearer-token", Bearer()), ("bearer-token", JsonWebToken()), ("bearer-token", OAuth()),
        ("signature", Signature()), ("authorization", Header()), ("authorization", UserInfo()),
    ];

    [GeneratedRegex(@"(?<secret>-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----[A-Za-z0-9+/=\s\\:,.-]*?-----END [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----)|(?<secret>-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----[A-Za-z0-9+/=\s\\]*)", Options)]
    private static partial Regex PrivateKey();

    [GeneratedRegex(@"\b(client-key-data|client-certificate-data|id-token|refresh-token)[""']?\s*:\s*[""']?(?<secret>[A-Za-z0-9+/=_.-]{8,})", Options)]
    private static partial Regex Kubeconfig();

    /// <summary>Tokens that say by their beginning whose they are.</summary>
    [GeneratedRegex(@"\b(?<secret>sk-(ant-|proj-|or-|live-|test-)?[A-Za-z0-9_-]{20,}|(sk|rk|pk)_(live|test)_[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{40,}|gl(pat|dt|rt|ptt)-[A-Za-z0-9_-]{20,}|xox[abeoprs]-[A-Za-z0-9-]{10,}|(AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}|AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,}|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{40,}|hf_[A-Za-z0-9]{30,}|dop_v1_[a-f0-9]{64}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|AccountKey=[A-Za-z0-9+/=]{40,}|krate_[A-Za-z0-9_-]{24,})", Options)]
    private static partial Regex ProviderToken();

    [GeneratedRegex(@"\b([Bb]earer|BEARER|(?<word>[Tt]oken|TOKEN)) (?<secret>[A-Za-z0-9._~+/-]{20,}=*)", Options)]
    private static partial Regex Bearer();

    [GeneratedRegex(@"\b(?<secret>eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,})", Options)]
    private static partial Regex JsonWebToken();

    [GeneratedRegex(@"\b(?<word>access_token|refresh_token|client_secret|id_token|api_key|apikey|password|passwd|secret_key)[""']?\s*[=:]\s*[""']?(?<secret>[^\s""'&,;<>\[\]{}()]{8,})", Options | RegexOptions.IgnoreCase)]
    private static partial Regex OAuth();

    [GeneratedRegex(@"\b(X-Hub-Signature(-256)?|X-Krate-Signature(-256)?|X-Amz-Signature|X-Goog-Signature|X-Amz-Security-Token|sig)\s*[=:]\s*[""']?(?<secret>[A-Za-z0-9%+/=_-]{16,})", Options | RegexOptions.IgnoreCase)]
    private static partial Regex Signature();

    [GeneratedRegex(@"\b((Proxy-)?Authorization|X-Api-Key|Cookie|Set-Cookie|Private-Token)[""']?\s*:\s*[""']?(?<secret>[^\r\n""']{8,})", Options | RegexOptions.IgnoreCase)]
    private static partial Regex Header();

    [GeneratedRegex(@"^[A-Za-z_]\w*(\.\w+)+$", Options)]
    private static partial Regex NamePath();

    /// <summary>A password in an address.</summary>
    [GeneratedRegex(@"\b[a-z][a-z0-9+.-]*://[^\s/:@""']*:(?<secret>[^\s/@""']{3,})@", Options | RegexOptions.IgnoreCase)]
    private static partial Regex UserInfo();
}
