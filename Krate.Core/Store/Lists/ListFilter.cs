using Krate.Core.Resources;
using Krate.Core.Store.Sql;

namespace Krate.Core.Store.Lists;

/// <summary>A list query in two forms that agree: SQL over the label index, and a test of one resource.</summary>
internal sealed class ListFilter
{
    private readonly ListQuery query;
    private readonly Database database;
    private readonly List<IndexTerm> terms;
    private readonly IndexTerm? driver;

    /// <summary>Of a list of the newest: what names the repository; null for all of the namespace.</summary>
    private readonly IndexTerm? repository;

    public ListFilter(ListQuery query, Database database)
    {
        this.query = query;
        this.database = database;
        terms = [.. query.Labels.Terms.Select(t => new IndexTerm(IndexedValues.Clip(t.Key), t)), .. query.Fields.Terms.Where(t => Column(t.Key) is null).Select(OnField)];
        repository = query.Newest is null ? null : RepositoryTerm();
        driver = query.Newest is null ? Driver(terms) : Narrowest() ?? repository;
    }

    /// <summary>Whether the rows come off the label index instead of the key index.</summary>
    private bool IsIndexed => driver is not null || query.Newest is not null;

    /// <summary>No selector at all: counting costs a range of the key index.</summary>
    public bool IsPlain => query.Labels.IsEmpty && query.Fields.IsEmpty && query.Names is null && query.Repositories is null;

    public bool Matches(Resource resource) =>
        IndexedValues.Matches(resource, query.Labels, query.Fields)
        && (query.Names is null || query.Names.Contains(resource.Name))
        && (query.Repositories is null || resource.Label(WellKnown.RepositoryLabel) is not { } repository || query.Repositories.Contains(repository));

    /// <summary>Namespace, name, version and body of the first matching rows after a key, or in the order of numbers. Sort them: a join gives no order away.</summary>
    public Statement Page(ContinueToken? after, int limit)
    {
        var keys = Keys(IsIndexed ? "SELECT k.namespace, k.name" : "SELECT k.namespace, k.name, k.version, k.body", after).Raw($" ORDER BY {Order}");
        if (limit > 0) keys.Raw($" LIMIT {limit}");
        if (!IsIndexed) return keys;

        // The page is chosen on the label index alone; only its bodies are fetched.
        return new Statement().Raw("SELECT r.namespace, r.name, r.version, r.body FROM (").Add($"{keys}")
            .Raw(") k CROSS JOIN resources r ").Add($"WHERE r.kind = {query.Kind.Kind} AND r.namespace = k.namespace AND r.name = k.name");
    }

    /// <summary>How many rows match, at most <paramref name="most"/> when that is not 0.</summary>
    public Statement Count(ContinueToken? after, int most) =>
        new Statement().Raw("SELECT COUNT(*) FROM (").Add($"{Keys("SELECT 1", after)}").Raw(most > 0 ? $" LIMIT {most}) AS matching" : ") AS matching");

    /// <summary>The matching rows of the key index, or of the label index where a term can drive it.</summary>
    private Statement Keys(string columns, ContinueToken? after)
    {
        var select = new Statement().Raw($"{columns} FROM {(IsIndexed ? "resource_labels" : "resources")} k ").Add($"WHERE k.kind = {query.Kind.Kind}");
        if (query.Newest is { } newest) InOrder(select, newest, repository?.Term.Values[0] ?? "");
        else if (driver?.Entry is var (key, value)) select.Add($" AND k.key = {key} AND k.value = {value}");
        if (query.Namespace is { } ns) select.Add($" AND k.namespace = {ns}");
        if (after is not null) After(select, after);
        if (query.Names is { } names) select.Add($" AND {In(new Statement("k.name"), names)}");
        foreach (var term in query.Fields.Terms)
            if (Column(term.Key) is { } column) OnColumn(select, column, term);
        foreach (var term in terms)
        {
            if (ReferenceEquals(term, driver) || ReferenceEquals(term, repository)) continue;
            if (term.IsList) OnList(select, term);
            else OnIndex(select, term.Key, term.Term);
        }

        if (query.Repositories is { } repositories) InRepositories(select, repositories);
        return select;
    }

    private string Order => query.Newest switch
    {
        null => "k.namespace, k.name",
        { After: not null } => "k.value",
        _ => "k.value DESC",
    };

    private void After(Statement select, ContinueToken after)
    {
        if (query.Namespace is not null) select.Add($" AND k.name > {after.Name}");
        else select.Add($" AND (k.namespace, k.name) > ({after.Namespace}, {after.Name})");
    }

    private void InOrder(Statement select, NewestFirst newest, string repositoryName)
    {
        var key = driver is null || ReferenceEquals(driver, repository)
            ? IndexedValues.NumberedKey(query.Namespace!, repositoryName)
            : IndexedValues.NumberedKey(query.Namespace!, repositoryName, driver!.Term.Key, driver.Term.Values[0]);
        select.Add($" AND k.key = {key}");
        if (newest.Before is { } before) select.Add($" AND k.value < {IndexedValues.NumberValue(before)}");
        if (newest.After is { } after) select.Add($" AND k.value > {IndexedValues.NumberValue(after)}");
    }

    /// <summary>Absent, or one of them.</summary>
    private void InRepositories(Statement select, IReadOnlyCollection<string> repositories)
    {
        var value = ValueOf(WellKnown.RepositoryLabel);
        if (repositories.Count == 0) select.Raw(" AND ").Add($"{value}").Raw(" IS NULL");
        else select.Raw(" AND (NOT ").Add($"{In(value, repositories.Select(IndexedValues.Clip))}").Raw(") IS NOT TRUE");
    }

    private void OnColumn(Statement select, string column, SelectorTerm term)
    {
        switch (term.Operator)
        {
            case SelectorOperator.In:
                select.Add($" AND {In(new Statement(column), term.Values)}");
                break;
            case SelectorOperator.NotIn:
                select.Add($" AND NOT ({In(new Statement(column), term.Values)})");
                break;
            case SelectorOperator.DoesNotExist:
                select.Raw(" AND 1 = 0");
                break;
        }
    }

    private void OnIndex(Statement select, string key, SelectorTerm term)
    {
        var value = ValueOf(key);
        select.Raw(" AND ");
        switch (term.Operator)
        {
            case SelectorOperator.In:
                select.Add($"{In(value, term.Values.Select(IndexedValues.Clip))}");
                break;
            case SelectorOperator.NotIn:
                select.Raw("(").Add($"{In(value, term.Values.Select(IndexedValues.Clip))}").Raw(") IS NOT TRUE");
                break;
            case SelectorOperator.Exists:
                select.Add($"{value}").Raw(" IS NOT NULL");
                break;
            default:
                select.Add($"{value}").Raw(" IS NULL");
                break;
        }
    }

    private static void OnList(Statement select, IndexTerm list)
    {
        var has = list.Term.Operator is SelectorOperator.In or SelectorOperator.Exists;
        string[] keys = [.. list.Term.Values.Select(v => IndexedValues.ElementKey(list.Term.Key, v)).DefaultIfEmpty(list.Key)];
        select.Raw(" AND (");
        for (var i = 0; i < keys.Length; i++)
            select.Raw(i == 0 ? "" : has ? " OR " : " AND ").Add($"{ValueOf(keys[i])}").Raw(has ? " IS NOT NULL" : " IS NULL");
        select.Raw(")");
    }

    /// <summary>
    /// The row's value of a key, null without one. A scalar subquery on purpose: PostgreSQL would turn EXISTS into a join of
    /// its own choosing; this is always one probe of the key index for each row that is looked at.
    /// </summary>
    private static Statement ValueOf(string key) =>
        new Statement().Raw("(SELECT x.value FROM resource_labels x WHERE x.kind = k.kind AND x.namespace = k.namespace AND x.name = k.name AND x.key = ").Add($"{key}").Raw(")");

    private Statement In(Statement operand, IEnumerable<string> values)
    {
        string[] all = [.. values];
        return all.Length == 1 ? new Statement().Add($"{operand} = {all[0]}") : new Statement().Add($"{operand} {database.In(all)}");
    }

    private IndexTerm OnField(SelectorTerm term) =>
        query.Kind.SelectableFields.Contains(term.Key)
            ? new IndexTerm(IndexedValues.FieldKey(term.Key), term) { IsList = query.Kind.SelectableLists.Contains(term.Key) }
            : throw ApiException.BadRequest($"field label not supported: {term.Key}; {query.Kind.Kind} can be selected by metadata.name, metadata.namespace{string.Concat(query.Kind.SelectableFields.Select(f => ", " + f))}");

    private static string? Column(string path) => path switch
    {
        "metadata.name" => "k.name",
        "metadata.namespace" => "k.namespace",
        _ => null,
    };

    /// <summary>The term whose index range is read in order: one value, and not one that every row of a namespace has.</summary>
    private static IndexTerm? Driver(IEnumerable<IndexTerm> terms) =>
        terms.Where(t => t.Entry is not null).OrderBy(t => t.Key is WellKnown.OrgLabel or WellKnown.NamespaceLabel ? 1 : 0).FirstOrDefault();

    /// <exception cref="ApiException">400: the newest of what is not said.</exception>
    private IndexTerm? RepositoryTerm()
    {
        if (query.Kind is not ({ Numbered: true } or { OrderedByCreation: true }) || query.Namespace is null) throw ApiException.BadRequest("the newest are listed of a kind that has an order, in one namespace");
        var term = terms.FirstOrDefault(t => t.Term.Key == query.Kind.RepositoryPath && t.Entry is not null);
        if (term is null && query.Kind.Numbered) throw ApiException.BadRequest("the newest of a numbered kind are listed of one repository, which a selector names");
        return term;
    }

    /// <summary>The field that few have: a phase is what many have.</summary>
    private IndexTerm? Narrowest() =>
        terms.Where(t => !ReferenceEquals(t, repository) && t.Entry is not null && query.Fields.Terms.Contains(t.Term) && t.Term.Key != IndexedValues.NumberPath)
            .OrderBy(t => t.Term.Key == "status.phase" ? 1 : 0)
            .FirstOrDefault();

    /// <summary>A term and the key that the index has for its label or field.</summary>
    private sealed record IndexTerm(string Key, SelectorTerm Term)
    {
        public bool IsList { get; init; }

        /// <summary>The one entry that every match has; null where there is no such one.</summary>
        public (string Key, string Value)? Entry =>
            Term is not { Operator: SelectorOperator.In, Values: [var value] } ? null
            : IsList ? (IndexedValues.ElementKey(Term.Key, value), "") : (Key, IndexedValues.Clip(value));
    }
}
