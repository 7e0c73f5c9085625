using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Memory;

public sealed record AgentMemorySnapshotSpec : ProductSpec
{
    [Description("AgentMemoryRepository that was read.")]
    public string? MemoryRepository { get; init; }

    [Description("Branch, tag, commit or time that was asked for.")]
    [MaxLength(255)]
    public string? RequestedRef { get; init; }

    [Description("Commit that it was resolved to.")]
    [GitSha]
    public string? ResolvedCommit { get; init; }
}

public static class AgentMemorySnapshotKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentMemorySnapshot", Plural = "agentmemorysnapshots", Context = "agents", Storage = "postgres/object-storage", Scope = KindScope.Org, Area = "Memory",
        Description = "An organization's memory at one commit.",
        ShortNames = ["memsnap"],
        SpecType = typeof(AgentMemorySnapshotSpec),
        StatusType = typeof(PlainStatus),
        PreserveUnknownSpec = true,
        RequiredSpec = ["memoryRepository", "requestedRef", "resolvedCommit"],
        Mutability = SpecMutability.Whole,
        RepositoryPath = "spec.memoryRepository",
        Columns = [new("Memory", "spec.memoryRepository"), new("Ref", "spec.requestedRef"), new("Commit", "spec.resolvedCommit")],
        References = [new("spec.memoryRepository", "AgentMemoryRepository", Required: true)],
    };
}

public sealed record AgentMemoryQuerySpec : ProductSpec
{
    [Description("AgentMemorySnapshot that is asked.")]
    public string? SnapshotRef { get; init; }

    [Description("Who asks.")]
    [MaxLength(253)]
    public string? Requester { get; init; }

    [Description("The question.")]
    [MaxLength(65_536)]
    public string? Query { get; init; }
}

public static class AgentMemoryQueryKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentMemoryQuery", Plural = "agentmemoryqueries", Context = "agents", Storage = "postgres/object-storage", Scope = KindScope.Org, Area = "Memory",
        Description = "A question to the memory, with its answer.",
        SpecType = typeof(AgentMemoryQuerySpec),
        StatusType = typeof(PlainStatus),
        PreserveUnknownSpec = true,
        RequiredSpec = ["snapshotRef", "requester", "query"],
        Mutability = SpecMutability.Fixed,
        RepositoryPath = "spec.snapshotRef",
        Columns = [new("Snapshot", "spec.snapshotRef"), new("Requester", "spec.requester"), new("Query", "spec.query", Wide: true)],
        References = [new("spec.snapshotRef", "AgentMemorySnapshot", Required: true)],
    };
}

public sealed record AgentMemoryUpdateSpec : ProductSpec
{
    [Description("AgentMemoryRepository that is to change.")]
    public string? MemoryRepository { get; init; }

    [Description("AgentDispatchRun that proposes the change.")]
    public string? SourceRun { get; init; }

    [Description("The proposed changes.")]
    public IReadOnlyList<JsonObject>? Changes { get; init; }
}

public static class AgentMemoryUpdateKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentMemoryUpdate", Plural = "agentmemoryupdates", Context = "agents", Storage = "postgres/object-storage", Scope = KindScope.Org, Area = "Memory",
        Description = "A change to the memory that a run proposes.",
        SpecType = typeof(AgentMemoryUpdateSpec),
        StatusType = typeof(PlainStatus),
        PreserveUnknownSpec = true,
        RequiredSpec = ["memoryRepository", "sourceRun", "changes"],
        Mutability = SpecMutability.Fixed,
        RepositoryPath = "spec.memoryRepository",
        Columns = [new("Memory", "spec.memoryRepository"), new("Run", "spec.sourceRun"), Rows.Phase],
        References = [new("spec.memoryRepository", "AgentMemoryRepository", Required: true), new("spec.sourceRun", "AgentDispatchRun", Required: true)],
        DerivedLabels = [new(WellKnown.DispatchRunLabel, "spec.sourceRun")],
    };
}

public sealed record AgentRunMemoryImportSpec : ProductSpec
{
    [Description("AgentMemoryRepository that it goes into.")]
    public string? MemoryRepository { get; init; }

    [Description("Where the run's memory is.")]
    public JsonObject? Source { get; init; }

    [Description("What of it is taken.")]
    public IReadOnlyList<string>? Include { get; init; }
}

public static class AgentRunMemoryImportKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentRunMemoryImport", Plural = "agentrunmemoryimports", Context = "agents", Storage = "postgres/object-storage", Scope = KindScope.Org, Area = "Memory",
        Description = "Takes what a run noted into the memory.",
        SpecType = typeof(AgentRunMemoryImportSpec),
        StatusType = typeof(PlainStatus),
        PreserveUnknownSpec = true,
        RequiredSpec = ["organizationRef", "memoryRepository", "source", "include"],
        Mutability = SpecMutability.Fixed,
        RepositoryPath = "spec.memoryRepository",
        Columns = [new("Memory", "spec.memoryRepository"), new("Include", "spec.include"), Rows.Phase],
        References = [new("spec.memoryRepository", "AgentMemoryRepository", Required: true)],
    };
}

public sealed record AgentRunJournalEventSpec : ProductSpec
{
    [Description("AgentDispatchRun whose journal it is of.")]
    public string? RunRef { get; init; }

    [Description("Place in the journal.")]
    [Range(0.0, double.MaxValue)]
    public long? Sequence { get; init; }

    [Description("Digest of the entry.")]
    [Digest]
    public string? Digest { get; init; }
}

public static class AgentRunJournalEventKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentRunJournalEvent", Plural = "agentrunjournalevents", Context = "agents", Storage = "postgres/object-storage", Scope = KindScope.Org, Area = "Memory",
        Description = "One entry of a run's journal.",
        SpecType = typeof(AgentRunJournalEventSpec),
        StatusType = typeof(PlainStatus),
        PreserveUnknownSpec = true,
        RequiredSpec = ["organizationRef", "runRef", "sequence", "digest"],
        Mutability = SpecMutability.Fixed,
        RepositoryPath = "spec.runRef",
        Columns = [new("Run", "spec.runRef"), new("Sequence", "spec.sequence", "integer"), new("Digest", "spec.digest", Wide: true)],
        References = [new("spec.runRef", "AgentDispatchRun", Required: true)],
        DerivedLabels = [new(WellKnown.DispatchRunLabel, "spec.runRef")],
    };
}
