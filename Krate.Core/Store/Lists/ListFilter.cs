using Krate.Core.Resources;
using Krate.Core.Store.Sql;

namespace Krate.Core.Store.Lists;

/// <summary>A list query in two forms that agree: SQL over the label index, and a test of one resource.</summary>
internal sealed class ListFilter
{
    private const string SameRow = "x.kind = r.kind AND x.namespace = r.namespace AND x.name = r.name";
    private readonly ListQuery query;
    private readonly Database database;
    private readonly List<(string Key, SelectorTerm Term)> terms;
    private readonly (string Key, string Value)? driver;

    public ListFilter(ListQuery query, Database database)
    {
        this.query = query;
        this.database = database;
        terms = [.. query.Labels.Terms.Select(t => (IndexedValues.Clip(t.Key), t)), .. query.Fields.Terms.Where(t => Column(t.Key) is null).Select(t => (FieldKey(t.Key), t))];
        driver = Driver(terms);
    }

    /// <summary>No selector at all: counting costs a range of the key index.</summary>
    public bool IsPlain => query.Labels.IsEmpty && query.Fields.IsEmpty && query.Names is null && query.Repositories is null;

    public bool Matches(Resource resource) =>
        IndexedValues.Matches(resource, query.Labels, query.Fields)
        && (query.Names is null || query.Names.Contains(resource.Name))
        && (query.Repositories is null || resource.Label(WellKnown.RepositoryLabel) is not { } repository || query.Repositories.Contains(repository));

    /// <summary>The matching rows after a key, in key order.</summary>
    public Statement Page(string columns, ContinueToken? after, int limit)
    {
        var select = new Statement().Raw($"SELECT {columns} FROM ");
        From(select);
        if (after is not null) After(select, after);
        var order = driver is null ? "r" : "l";
        select.Raw($" ORDER BY {order}.namespace, {order}.name");
        return limit > 0 ? select.Raw($" LIMIT {limit}") : select;
    }

    /// <summary>How many rows match, at most <paramref name="most"/> when that is not 0.</summary>
    public Statement Count(ContinueToken? after, int most)
    {
        var select = new Statement().Raw("SELECT COUNT(*) FROM (SELECT 1 FROM ");
        From(select);
        if (after is not null) After(select, after);
        return select.Raw(most > 0 ? $" LIMIT {most}) AS matching" : ") AS matching");
    }

    private void From(Statement select)
    {
        if (driver is { } d)
        {
            // CROSS JOIN: SQLite keeps the order as written, so the page is read off the index in key order.
            select.Raw("resource_labels l CROSS JOIN resources r ")
                .Add($"WHERE l.kind = {query.Kind.Kind} AND l.key = {d.Key} AND l.value = {d.Value}")
                .Raw(" AND r.kind = l.kind AND r.namespace = l.namespace AND r.name = l.name");
        }
        else
        {
            select.Raw("resources r ").Add($"WHERE r.kind = {query.Kind.Kind}");
        }

        if (query.Namespace is { } ns) select.Raw(driver is null ? " AND r.namespace = " : " AND l.namespace = ").Add($"{ns}");
        if (query.Names is { } names) select.Add($" AND {database.In("r.name", names)}");
        foreach (var term in query.Fields.Terms)
            if (Column(term.Key) is { } column) OnColumn(select, column, term);
        foreach (var (key, term) in terms)
            if (driver is not { } used || used.Key != key || !IsOne(term)) OnIndex(select, key, term);
        if (query.Repositories is { } repositories)
        {
            select.Raw($" AND NOT EXISTS (SELECT 1 FROM resource_labels x WHERE {SameRow} AND x.key = '{WellKnown.RepositoryLabel}' AND NOT (")
                .Add($"{database.In("x.value", repositories.Select(IndexedValues.Clip))}").Raw("))");
        }
    }

    private void After(Statement select, ContinueToken after)
    {
        var t = driver is null ? "r" : "l";
        if (query.Namespace is not null) select.Raw($" AND {t}.name > ").Add($"{after.Name}");
        else select.Raw($" AND ({t}.namespace, {t}.name) > (").Add($"{after.Namespace}, {after.Name}").Raw(")");
    }

    private void OnColumn(Statement select, string column, SelectorTerm term)
    {
        switch (term.Operator)
        {
            case SelectorOperator.In:
                select.Add($" AND {database.In(column, term.Values)}");
                break;
            case SelectorOperator.NotIn:
                select.Add($" AND NOT ({database.In(column, term.Values)})");
                break;
            case SelectorOperator.DoesNotExist:
                select.Raw(" AND 1 = 0");
                break;
        }
    }

    private void OnIndex(Statement select, string key, SelectorTerm term)
    {
        var positive = term.Operator is SelectorOperator.In or SelectorOperator.Exists;
        select.Raw($" AND {(positive ? "" : "NOT ")}EXISTS (SELECT 1 FROM resource_labels x WHERE {SameRow} AND x.key = ").Add($"{key}");
        if (term.Operator is SelectorOperator.In or SelectorOperator.NotIn)
            select.Add($" AND {database.In("x.value", term.Values.Select(IndexedValues.Clip))}");
        select.Raw(")");
    }

    private string FieldKey(string path) =>
        query.Kind.SelectableFields.Contains(path)
            ? IndexedValues.FieldKey(path)
            : throw ApiException.BadRequest($"field label not supported: {path}; {query.Kind.Kind} can be selected by metadata.name, metadata.namespace{string.Concat(query.Kind.SelectableFields.Select(f => ", " + f))}");

    private static string? Column(string path) => path switch
    {
        "metadata.name" => "r.name",
        "metadata.namespace" => "r.namespace",
        _ => null,
    };

    /// <summary>The term whose index range is read in order: one value, and not one that every row of a namespace has.</summary>
    private static (string Key, string Value)? Driver(IEnumerable<(string Key, SelectorTerm Term)> terms) =>
        terms.Where(t => IsOne(t.Term))
            .OrderBy(t => t.Key is WellKnown.OrgLabel or WellKnown.NamespaceLabel ? 1 : 0)
            .Select(t => ((string, string)?)(t.Key, IndexedValues.Clip(t.Term.Values[0])))
            .FirstOrDefault();

    private static bool IsOne(SelectorTerm term) => term is { Operator: SelectorOperator.In, Values.Count: 1 };
}
