using Krate.Core.Kinds;
using Krate.Core.Resources;

namespace Krate.Web.Features.Runs;

/// <summary>What the filter field of a list of runs says: <c>status:failed branch:main workflow:verify by:jonas</c>, and words.</summary>
/// <param name="Status">A word of <see cref="Statuses"/>; null for all.</param>
public sealed record RunQuery(string? Status, string? Branch, string? Workflow, string? By, IReadOnlyList<string> Words)
{
    /// <summary>The word of a status, and the phase that it is.</summary>
    public static readonly IReadOnlyList<(string Word, string Phase)> Statuses =
    [
        ("queued", RunPhase.Queued), ("running", RunPhase.Running), ("passed", RunPhase.Succeeded), ("failed", RunPhase.Failed), ("cancelled", RunPhase.Cancelled),
    ];

    public static RunQuery Parse(string? text)
    {
        var query = new RunQuery(null, null, null, null, []);
        foreach (var part in (text ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = part.Split(':', 2) is [var n, { Length: > 0 } v] ? (n, v) : ("", part);
            query = name switch
            {
                "status" when Statuses.Any(s => s.Word == value) => query with { Status = value },
                "branch" => query with { Branch = value },
                "workflow" => query with { Workflow = value },
                "by" => query with { By = value },
                _ => query with { Words = [.. query.Words, part] },
            };
        }

        return query;
    }

    /// <summary>The text that reads back as this.</summary>
    public override string ToString() => string.Join(' ',
    [
        .. Status is null ? Array.Empty<string>() : ["status:" + Status],
        .. Branch is null ? Array.Empty<string>() : ["branch:" + Branch],
        .. Workflow is null ? Array.Empty<string>() : ["workflow:" + Workflow],
        .. By is null ? Array.Empty<string>() : ["by:" + By],
        .. Words,
    ]);

    public bool IsPlain => Status is null && Branch is null && Workflow is null && By is null && Words.Count == 0;

    /// <summary>What the store selects.</summary>
    /// <param name="repository">Null for all of the organization.</param>
    public Selector Fields(string? repository)
    {
        var terms = new List<SelectorTerm>();
        if (repository is not null) Add("spec.repository", repository);
        if (Status is not null) Add("status.phase", Statuses.First(s => s.Word == Status).Phase);
        if (Workflow is not null) Add("spec.workflow", Workflow);
        if (By is not null) Add("status.startedBy", By);
        return new Selector(terms);

        void Add(string path, string value) => terms.Add(new(path, SelectorOperator.In, [value]));
    }

    /// <summary>The test that the store cannot make; null where there is none.</summary>
    public (string Words, Func<Resource, bool> Admits)? Where =>
        Branch is null && Words.Count == 0 ? null : ($"{Branch}\n{string.Join('\n', Words)}", Admits);

    private bool Admits(Resource run) =>
        (Branch is null || RunWords.BranchOf(run) == Branch) && Words.All(w => Texts(run).Any(t => t.Contains(w, StringComparison.OrdinalIgnoreCase)));

    private static IEnumerable<string> Texts(Resource run) =>
        new[] { run.Name, run.Body.Text("spec.workflow"), run.Body.Text("spec.ref"), run.Body.Text("spec.sha"), run.Body.Text("status.failureSignature"), run.Label(WellKnown.RepositoryLabel) }.OfType<string>();
}
