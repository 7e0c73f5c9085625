namespace Krate.Core.Resources;

public enum SelectorOperator
{
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

/// <summary>One requirement of a selector: <c>key in (a, b)</c>, <c>key</c>, <c>!key</c> ...</summary>
public sealed record SelectorTerm(string Key, SelectorOperator Operator, IReadOnlyList<string> Values)
{
    public bool Matches(string? value) => Operator switch
    {
        SelectorOperator.In => value is not null && Values.Contains(value, StringComparer.Ordinal),
        SelectorOperator.NotIn => value is null || !Values.Contains(value, StringComparer.Ordinal),
        SelectorOperator.Exists => value is not null,
        _ => value is null,
    };
}

/// <summary>
/// A label or field selector as Kubernetes parses it: equality (<c>a=b</c>, <c>a==b</c>, <c>a!=b</c>) and set based
/// (<c>a in (b,c)</c>, <c>a notin (b)</c>, <c>a</c>, <c>!a</c>), joined by commas. Immutable.
/// </summary>
public sealed class Selector
{
    public static readonly Selector Everything = new([]);

    public Selector(IReadOnlyList<SelectorTerm> terms) => Terms = terms;

    public IReadOnlyList<SelectorTerm> Terms { get; }

    public bool IsEmpty => Terms.Count == 0;

    public bool Matches(Func<string, string?> valueOf) => Terms.All(t => t.Matches(valueOf(t.Key)));

    public Selector And(SelectorTerm term) => new([.. Terms, term]);

    /// <exception cref="ApiException">400: the text is no selector.</exception>
    public static Selector Parse(string? text)
    {
        if (string.IsNullOrWhiteSpace(text)) return Everything;
        var terms = new List<SelectorTerm>();
        foreach (var part in Split(text))
            terms.Add(ParseTerm(part.Trim(), text));
        return new Selector(terms);
    }

    private static IEnumerable<string> Split(string text)
    {
        int depth = 0, start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '(') depth++;
            else if (text[i] == ')') depth--;
            else if (text[i] == ',' && depth == 0)
            {
                yield return text[start..i];
                start = i + 1;
            }
        }

        yield return text[start..];
    }

    private static SelectorTerm ParseTerm(string part, string whole)
    {
        var open = part.IndexOf('(', StringComparison.Ordinal);
        if (open >= 0)
        {
            var head = part[..open].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (head.Length != 2 || !part.EndsWith(')') || head[1] is not ("in" or "notin")) throw Bad(whole);
            var values = part[(open + 1)..^1].Split(',').Select(v => v.Trim()).ToArray();
            return new(Key(head[0], whole), head[1] == "in" ? SelectorOperator.In : SelectorOperator.NotIn, values);
        }

        foreach (var (op, kind) in new[] { ("!=", SelectorOperator.NotIn), ("==", SelectorOperator.In), ("=", SelectorOperator.In) })
        {
            var at = part.IndexOf(op, StringComparison.Ordinal);
            if (at < 0) continue;
            var value = part[(at + op.Length)..].Trim();
            if (value.IndexOfAny(['=', '!', ' ']) >= 0) throw Bad(whole);
            return new(Key(part[..at].Trim(), whole), kind, [value]);
        }

        return part.StartsWith('!')
            ? new(Key(part[1..].Trim(), whole), SelectorOperator.DoesNotExist, [])
            : new(Key(part, whole), SelectorOperator.Exists, []);
    }

    private static string Key(string key, string whole) =>
        key.Length > 0 && key.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/') ? key : throw Bad(whole);

    private static ApiException Bad(string text) =>
        ApiException.BadRequest($"unable to parse requirement: \"{text}\" is no selector; write key=value, key!=value, key in (a,b), key notin (a,b), key or !key");
}
