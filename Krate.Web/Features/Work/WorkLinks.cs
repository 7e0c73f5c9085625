using System.Globalization;
using System.Text.RegularExpressions;
using Krate.Web.Components.Markdown;
using Krate.Web.Features.Code;

namespace Krate.Web.Features.Work;

/// <summary>Links in what people write about a repository: paths from its root, <c>#12</c>, <c>other#12</c> and commit ids.</summary>
/// <param name="revision">Branch that paths are read at.</param>
public sealed partial class WorkLinks(string org, CodeUrls urls, string revision) : MarkdownLinks
{
    public override string? Here => null;

    public override string? Page(string path) => RepositoryLinks.Find("", path) is { Length: > 0 } found ? urls.Blob(revision, found) : null;

    public override string? Image(string path) => RepositoryLinks.Find("", path) is { Length: > 0 } found ? urls.Raw(revision, found) : null;

    public override IEnumerable<(int Start, int Length, string Address)> References(string text)
    {
        foreach (Match match in Reference().Matches(text))
        {
            if (match.Groups["sha"] is { Success: true } sha)
            {
                // A word of letters alone, and a number, are no commit.
                if (sha.Value.Any(char.IsAsciiDigit) && sha.Value.Any(char.IsAsciiLetter)) yield return (match.Index, match.Length, urls.Commit(sha.Value));
                continue;
            }

            if (!long.TryParse(match.Groups["number"].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) continue;
            var home = match.Groups["repo"] is { Success: true, Value: var other } ? new CodeUrls(org, other) : urls;
            yield return (match.Index, match.Length, home.Issue(number));
        }
    }

    [GeneratedRegex(@"(?<![\w/#.-])(?:(?<repo>[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)?\#(?<number>[1-9][0-9]{0,8})|(?<sha>[0-9a-f]{7,40}))(?![\w-])", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Reference();
}
