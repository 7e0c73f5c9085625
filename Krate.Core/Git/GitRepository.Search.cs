using System.Globalization;

namespace Krate.Core.Git;

/// <summary>What to look for in the files of a commit.</summary>
/// <param name="Text">A text, or a POSIX extended regular expression.</param>
/// <param name="Folder">Only below this path; empty for everywhere.</param>
public sealed record SearchQuery(string Text, bool IsRegex, bool MatchCase, string Folder);

/// <summary>A line that matches.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Text">Cut after 400 characters.</param>
public sealed record SearchHit(string Path, int Number, string Text);

/// <param name="IsCut">There is more, or the time was up.</param>
/// <param name="Problem">Why the query cannot be used, in git's words; null when it can.</param>
public sealed record SearchResult(IReadOnlyList<SearchHit> Hits, bool IsCut, string? Problem);

public sealed partial class GitRepository
{
    /// <summary>Most hits of one answer.</summary>
    public const int MaxHits = 300;

    private const int MaxLineShown = 400;
    private static readonly TimeSpan SearchLimit = TimeSpan.FromSeconds(8);

    /// <summary>An expression of few letters can ask for more memory than there is: <c>((a{1,255}){1,255}){1,255}</c>.</summary>
    private static readonly GitBounds SearchBounds = new(256L << 20, 1 << 20);

    /// <summary>Looks through the text files of a commit. Bounded in hits, memory and time.</summary>
    /// <param name="limit">8 s unless told.</param>
    public async Task<SearchResult> SearchAsync(string commit, SearchQuery query, CancellationToken ct, TimeSpan? limit = null)
    {
        if (query.Text.IndexOfAny(['\n', '\0']) >= 0) return new([], false, "a search is one line");
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(limit ?? SearchLimit);
        List<string> arguments = ["grep", "-z", "-n", "-I", "--no-color", "--max-count=20", query.IsRegex ? "-E" : "-F", .. query.MatchCase ? Array.Empty<string>() : ["-i"], "-e", query.Text, commit];
        if (query.Folder.Length > 0) arguments.AddRange(["--", query.Folder]);
        var hits = new List<SearchHit>();
        try
        {
            await foreach (var line in LinesAsync(arguments, null, patience.Token, SearchBounds))
            {
                // commit:path, number, text; set apart by zero bytes. A line end within a name gives no such line.
                if (line.Split('\0', 3) is not [var place, var number, var text] || !place.StartsWith(commit, StringComparison.Ordinal) || !int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var n)) continue;
                if (hits.Count == MaxHits) return new(hits, true, null);
                hits.Add(new(place[(commit.Length + 1)..], n, text.Length > MaxLineShown ? text[..MaxLineShown] : text));
            }

            return new(hits, false, null);
        }
        catch (GitException e) when (e.ExitCode == 1)
        {
            // Nothing found.
            return new(hits, false, null);
        }
        catch (GitException e) when (e.ExitCode == 128 && query.IsRegex && e.Message.Contains("fatal: -e option", StringComparison.Ordinal))
        {
            return new([], false, e.Message[(e.Message.LastIndexOf(':') + 1)..].Trim());
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new(hits, true, null);
        }
    }
}
