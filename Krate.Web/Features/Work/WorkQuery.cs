using Krate.Core.Resources;

namespace Krate.Web.Features.Work;

/// <summary>What the filter field of a list of issues or pull requests says: words with a name before a colon (<c>state:open label:bug</c>), and text.</summary>
/// <param name="State">open, closed, merged or all.</param>
/// <param name="Words">Each must be in the title, the number or the body.</param>
public sealed record WorkQuery(string State, IReadOnlyList<string> Labels, string? Author, string? Assignee, IReadOnlyList<string> Words)
{
    private static readonly string[] States = ["open", "closed", "merged", "all"];

    public static WorkQuery Parse(string? text)
    {
        var query = new WorkQuery("open", [], null, null, []);
        foreach (var part in Split(text ?? ""))
        {
            var (name, value) = part.Split(':', 2) is [var n, { Length: > 0 } v] ? (n, v.Trim('"')) : ("", part.Trim('"'));
            query = name switch
            {
                "state" or "is" when States.Contains(value) => query with { State = value },
                "label" => query with { Labels = [.. query.Labels, value] },
                "author" => query with { Author = value },
                "assignee" => query with { Assignee = value },
                _ => query with { Words = [.. query.Words, name.Length == 0 ? value : part] },
            };
        }

        return query;
    }

    /// <summary>The text that reads back as this; open is what is meant without a word.</summary>
    public override string ToString() => string.Join(' ',
    [
        .. State == "open" ? Array.Empty<string>() : ["state:" + State],
        .. Labels.Select(l => "label:" + Quote(l)),
        .. Author is null ? Array.Empty<string>() : ["author:" + Quote(Author)],
        .. Assignee is null ? Array.Empty<string>() : ["assignee:" + Quote(Assignee)],
        .. Words.Select(Quote),
    ]);

    /// <summary>The phase that the store selects; null for all.</summary>
    public string? Phase => State == "all" ? null : char.ToUpperInvariant(State[0]) + State[1..];

    /// <summary>Whether more is asked for than a state.</summary>
    public bool IsNarrow => Labels.Count > 0 || Author is not null || Assignee is not null || Words.Count > 0;

    public bool Admits(Resource work)
    {
        var body = work.Body;
        return Labels.All(l => body.Texts("spec.labels").Contains(l, StringComparer.OrdinalIgnoreCase))
            && (Author is null || string.Equals(body.Text("spec.author"), Author, StringComparison.OrdinalIgnoreCase))
            && (Assignee is null || body.Texts("spec.assignees").Contains(Assignee, StringComparer.OrdinalIgnoreCase))
            && Words.All(w => Has(body.Text("spec.title"), w) || Has(body.Text("spec.body"), w) || "#" + NumberOf(work) == w);
    }

    public static long NumberOf(Resource work) => work.Body.Whole("spec.number") ?? 0;

    private static bool Has(string? text, string word) => text?.Contains(word, StringComparison.OrdinalIgnoreCase) == true;

    private static string Quote(string value) => value.Contains(' ', StringComparison.Ordinal) ? $"\"{value}\"" : value;

    /// <summary>By spaces that are not in quotes.</summary>
    private static IEnumerable<string> Split(string text)
    {
        var (start, quoted) = (0, false);
        for (var i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && text[i] == '"') quoted = !quoted;
            if (i < text.Length && (quoted || !char.IsWhiteSpace(text[i]))) continue;
            if (i > start) yield return text[start..i];
            start = i + 1;
        }
    }
}
