using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Dispatch;

/// <summary>What an agent is asked to do, on what, and what it is to be given to read.</summary>
public sealed record ContextRequest
{
    private const int MostPaths = 32;
    private static readonly string[] Fields = ["agentStack", "repository", "ref", "taskKind", "task", "sourceRefs", "paths"];
    private static readonly string[] Sources = ["issue", "pullRequest", "comment", "pipeline", "job"];

    public required string AgentStack { get; init; }

    public required string Repository { get; init; }

    /// <summary>Branch, tag or commit whose files are read; when left out that of the pull request or pipeline, else the default branch.</summary>
    public string? Ref { get; init; }

    /// <summary>A commit of <see cref="Ref"/>; its head when left out.</summary>
    public string? Sha { get; init; }

    public string? TaskKind { get; init; }

    /// <summary>In the words of whoever starts the run.</summary>
    public string Task { get; init; } = "";

    /// <summary>By name or number.</summary>
    public string? Issue { get; init; }

    /// <summary>By name or number.</summary>
    public string? PullRequest { get; init; }

    /// <summary>The comment that asks.</summary>
    public string? Comment { get; init; }

    public string? Pipeline { get; init; }

    public string? Job { get; init; }

    /// <summary>Files and folders of the repository.</summary>
    public IReadOnlyList<string> Paths { get; init; } = [];

    /// <exception cref="ApiException">422 that names the field.</exception>
    public static ContextRequest Read(JsonObject body)
    {
        if (body.FirstOrDefault(f => !Fields.Contains(f.Key)).Key is { } unknown) throw Invalid(unknown, $"is unknown; a request has {string.Join(", ", Fields)}");
        foreach (var field in Fields.Except(["sourceRefs", "paths"]))
            if (body[field] is { } value && value.Text() is null) throw Invalid(field, "must be a text");
        if (body["sourceRefs"] is not (null or JsonObject)) throw Invalid("sourceRefs", "must be an object");
        foreach (var (name, value) in body["sourceRefs"] as JsonObject ?? [])
            if (!Sources.Contains(name) || value.Text() is null) throw Invalid($"sourceRefs.{name}", Sources.Contains(name) ? "must be a text" : $"is unknown; there are {string.Join(", ", Sources)}");
        var paths = body.Texts("paths").ToList();
        if (body["paths"] is not null && (body["paths"] is not JsonArray given || given.Count != paths.Count || paths.Count > MostPaths)) throw Invalid("paths", $"must be a list of at most {MostPaths} texts");
        return new()
        {
            AgentStack = Needed("agentStack"), Repository = Needed("repository"), Ref = Given("ref"), TaskKind = Given("taskKind"), Task = body.Text("task") ?? "",
            Issue = Given("sourceRefs.issue"), PullRequest = Given("sourceRefs.pullRequest"), Comment = Given("sourceRefs.comment"), Pipeline = Given("sourceRefs.pipeline"), Job = Given("sourceRefs.job"),
            Paths = [.. paths.Select(p => p.Trim('/')).Where(p => p.Length > 0).Distinct(StringComparer.Ordinal)],
        };

        string? Given(string path) => body.Text(path) is { Length: > 0 } text ? text : null;
        string Needed(string name) => Given(name) ?? throw Invalid(name, "is required");
    }

    /// <summary>What a run asks for.</summary>
    public static ContextRequest OfRun(JsonObject run)
    {
        return new()
        {
            AgentStack = Given("agentStack") ?? "", Repository = Given("repository") ?? "", Ref = Given("ref") ?? Given("branch"), Sha = Given("sha"), TaskKind = Given("taskKind"), Task = Given("task") ?? "",
            Issue = Given("sourceRefs.issue"), PullRequest = Given("sourceRefs.pullRequest"), Comment = Given("sourceRefs.comment"), Pipeline = Given("sourceRefs.pipeline"), Job = Given("sourceRefs.job"),
            Paths = [.. run.Texts("spec.paths").Select(p => p.Trim('/')).Where(p => p.Length > 0).Distinct(StringComparer.Ordinal)],
        };

        string? Given(string field) => run.Text("spec." + field) is { Length: > 0 } text ? text : null;
    }

    internal static ApiException Invalid(string field, string problem) =>
        new(422, "Invalid", $"{field} {problem}", [new("VALIDATION_FAILED", field, problem)]) { ProductCode = "VALIDATION_FAILED" };
}
