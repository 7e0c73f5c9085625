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

    /// <summary>What is shown when nothing is asked for.</summary>
    public bool IsPlain => State == "open" && !IsNarrow;

    /// <summary>What the store selects of a repository: all but the words.</summary>
    public Selector Fields(KindDefinition kind, string repository)
    {
        var terms = new List<SelectorTerm> { Is("spec.repository", repository) };
        if (Phase is { } phase) terms.Add(Is("status.phase", phase));
        terms.AddRange(Labels.Select(l => Is("spec.labels", l)));
        if (Author is not null) terms.Add(Is("spec.author", Author));
        // Nobody is assigned to a pull request.
        if (Assignee is not null) terms.Add(kind.SelectableFields.Contains("spec.assignees") ? Is("spec.assignees", Assignee) : new("metadata.name", SelectorOperator.DoesNotExist, []));
        return new Selector(terms);
    }

    /// <summary>The test that the store cannot make; null where there are no words.</summary>
    public (string Words, Func<Resource, bool> Admits)? Where => Words.Count == 0 ? null : (string.Join('\n', Words), HasWords);

    private bool HasWords(Resource work) =>
        Words.All(w => Has(work.Body.Text("spec.title"), w) || Has(work.Body.Text("spec.body"), w) || "#" + NumberOf(work) == w);

    public static long NumberOf(Resource work) => Live.LiveSource.NumberOf(work);

    private static SelectorTerm Is(string path, string value) => new(path, SelectorOperator.In, [value]);

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
