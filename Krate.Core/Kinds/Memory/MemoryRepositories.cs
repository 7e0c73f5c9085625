using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Memory;

public sealed record AgentMemoryRepositorySpec : ProductSpec
{
    [Description("Repository that holds the memory.")]
    public string? RepositoryRef { get; init; }

    [Description("Branch that is read.")]
    [MaxLength(255)]
    public string? DefaultBranch { get; init; }

    [Description("How the repository is laid out.")]
    [MaxLength(63)]
    public string? LayoutProfile { get; init; }
}

public static class AgentMemoryRepositoryKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentMemoryRepository", Plural = "agentmemoryrepositories", Context = "agents", Storage = "etcd", Scope = KindScope.Org, Area = "Memory",
        Description = "The git repository that holds an organization's memory.",
        ShortNames = ["memrepo"],
        SpecType = typeof(AgentMemoryRepositorySpec),
        StatusType = typeof(PlainStatus),
        PreserveUnknownSpec = true,
        RequiredSpec = ["repositoryRef", "defaultBranch", "layoutProfile"],
        RepositoryPath = "spec.repositoryRef",
        Columns = [new("Repository", "spec.repositoryRef"), new("Branch", "spec.defaultBranch"), new("Layout", "spec.layoutProfile"), Rows.Phase, Rows.Ready],
        References = [new("spec.repositoryRef", "Repository")],
    };
}

public sealed record AgentMemorySourceSpec : ProductSpec
{
    [Description("Repository that the memory comes from.")]
    public string? RepositoryRef { get; init; }

    [Description("What the source is taken for.")]
    public JsonObject? AppliesTo { get; init; }

    [Description("Paths that are taken.")]
    public IReadOnlyList<string>? Include { get; init; }
}

public static class AgentMemorySourceKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentMemorySource", Plural = "agentmemorysources", Context = "agents", Storage = "etcd", Scope = KindScope.Org, Area = "Memory",
        Description = "Paths of a repository that are memory for some work.",
        SpecType = typeof(AgentMemorySourceSpec),
        StatusType = typeof(PlainStatus),
        PreserveUnknownSpec = true,
        RequiredSpec = ["repositoryRef", "appliesTo", "include"],
        RepositoryPath = "spec.repositoryRef",
        Columns = [new("Repository", "spec.repositoryRef"), new("Include", "spec.include"), Rows.Phase, Rows.Ready],
        References = [new("spec.repositoryRef", "Repository")],
    };
}

public sealed record AgentMemoryOntologySpec : ProductSpec
{
    [Description("AgentMemoryRepository that holds the ontology.")]
    public string? MemoryRepository { get; init; }

    [Description("Path of the ontology in it.")]
    [MaxLength(4096)]
    public string? OntologyPath { get; init; }
}

public static class AgentMemoryOntologyKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentMemoryOntology", Plural = "agentmemoryontologies", Context = "agents", Storage = "etcd", Scope = KindScope.Org, Area = "Memory",
        Description = "The kinds of record and relation that a memory knows.",
        SpecType = typeof(AgentMemoryOntologySpec),
        StatusType = typeof(PlainStatus),
        PreserveUnknownSpec = true,
        RequiredSpec = ["memoryRepository", "ontologyPath"],
        Columns = [new("Memory", "spec.memoryRepository"), new("Path", "spec.ontologyPath"), Rows.Phase, Rows.Ready],
        References = [new("spec.memoryRepository", "AgentMemoryRepository")],
    };
}

public sealed record AgentMemoryAssociationSpec : ProductSpec
{
    [Description("Memory record.")]
    [MaxLength(1024)]
    public string? MemoryRef { get; init; }

    [Description("What it is about.")]
    public ObjectRef? TargetRef { get; init; }

    [Description("How they belong together.")]
    [MaxLength(63)]
    public string? Relationship { get; init; }
}

public static class AgentMemoryAssociationKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentMemoryAssociation", Plural = "agentmemoryassociations", Context = "agents", Storage = "etcd", Scope = KindScope.Org, Area = "Memory",
        Description = "Ties a memory record to a resource.",
        SpecType = typeof(AgentMemoryAssociationSpec),
        StatusType = typeof(PlainStatus),
        PreserveUnknownSpec = true,
        RequiredSpec = ["memoryRef", "targetRef", "relationship"],
        Columns = [new("Memory", "spec.memoryRef"), new("Target Kind", "spec.targetRef.kind"), new("Target", "spec.targetRef.name"), new("Relationship", "spec.relationship")],
        References = [new("spec.targetRef.name", "") { KindField = "kind" }],
    };
}
