namespace Krate.Core.Context;

/// <summary>Something in a prompt that instructs: written by admins of the organization, or the task of whoever starts the run.</summary>
/// <param name="Name">One of <see cref="LayerNames"/>, with what it is of behind a colon.</param>
/// <param name="Text">As it was written.</param>
public sealed record PromptLayer(string Name, string Text);

/// <summary>Layers in the order of a prompt (spec 06).</summary>
public static class LayerNames
{
    public const string StackSystem = "stack-system";
    public const string StackDeveloper = "stack-developer";
    public const string Skill = "skill";
    public const string ContextLabel = "context-label";
    public const string UserTask = "user-task";
}

/// <summary>Something that an agent is given to read: data, whatever it says.</summary>
public sealed record SourceText
{
    /// <summary>One of <see cref="SourceKinds"/>.</summary>
    public required string Kind { get; init; }

    public required string Name { get; init; }

    /// <summary>Ref or commit that it was read at.</summary>
    public string? Ref { get; init; }

    public string? Path { get; init; }

    /// <summary>Kubernetes user name of whoever wrote it.</summary>
    public string? Author { get; init; }

    /// <summary>trusted or untrusted.</summary>
    public required string TrustTier { get; init; }

    public required string Text { get; init; }
}

/// <summary>What sources may be.</summary>
public static class SourceKinds
{
    public const string Issue = "issue";
    public const string PullRequest = "pull-request";
    public const string Diff = "diff";
    public const string Comment = "comment";
    public const string Review = "review";
    public const string Job = "job";
    public const string JobLog = "job-log";
    public const string Pipeline = "pipeline";
    public const string AgentsDoc = "agents-doc";
    public const string Folder = "folder";
    public const string Code = "code";
}

/// <summary>Everything that a bundle is made of, read already. The first sources are the last to be left out.</summary>
/// <param name="Omissions">What was not read, and why, in words.</param>
public sealed record ContextDraft(IReadOnlyList<PromptLayer> Layers, IReadOnlyList<SourceText> Sources, IReadOnlyList<string> Omissions)
{
    /// <summary>What the work is on; null where the repository has no commit.</summary>
    public WorkPlace? Place { get; init; }

    /// <summary>The resources that the work is about.</summary>
    public IReadOnlyList<WorkItem> About { get; init; } = [];
}

/// <param name="Title">For people.</param>
public sealed record WorkItem(string Kind, string Name, string Title);

/// <summary>Where an agent works.</summary>
/// <param name="Ref">Full name (<c>refs/heads/main</c>, <c>refs/pull/42/head</c>).</param>
/// <param name="Target">Branch that changes go to.</param>
public sealed record WorkPlace(string Ref, string Commit, string Target);

/// <summary>Bytes in UTF-8, after redaction (spec 06).</summary>
public sealed record ContextLimits
{
    /// <summary>All layers together.</summary>
    public int PromptBytes { get; init; } = 64 << 10;

    /// <summary>The log of one job.</summary>
    public int LogBytes { get; init; } = 256 << 10;

    /// <summary>The diff of one pull request.</summary>
    public int DiffBytes { get; init; } = 256 << 10;

    /// <summary>Any other source.</summary>
    public int SourceBytes { get; init; } = 64 << 10;

    /// <summary>Layers and sources together.</summary>
    public int BundleBytes { get; init; } = 750 << 10;

    public int Sources { get; init; } = 32;

    public int Of(string kind) => kind switch { SourceKinds.JobLog => LogBytes, SourceKinds.Diff => DiffBytes, _ => SourceBytes };
}
