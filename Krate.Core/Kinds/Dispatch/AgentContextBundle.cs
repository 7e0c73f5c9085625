using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Dispatch;

public sealed record AgentContextBundleSpec : ProductSpec
{
    [Description("AgentDispatchRun that the bundle was made for.")]
    public string? DispatchRun { get; init; }

    [Description("Digest over the digests of all layers and sources.")]
    [Digest]
    public string? Digest { get; init; }

    [Description("Digest of the prompt as the agent is given it, byte for byte; every attempt of the run gets this one.")]
    [Digest]
    public string? PromptDigest { get; init; }

    [Description("Prompt layers in order.")]
    public IReadOnlyList<ContextLayer>? Layers { get; init; }

    [Description("Where everything in it comes from.")]
    public IReadOnlyList<ContextSource>? Sources { get; init; }

    [Description("What in it looks like an instruction, an encoded blob or a way out.")]
    public IReadOnlyList<string>? RiskFindings { get; init; }

    [Description("How many values were redacted, by category.")]
    public IReadOnlyDictionary<string, int>? Redactions { get; init; }

    [Description("What was left out or cut, and why.")]
    public IReadOnlyList<string>? Omissions { get; init; }

    [Description("Company memory that is part of it.")]
    public MemorySnapshotRef? MemorySnapshotRef { get; init; }
}

public sealed record ContextLayer
{
    [Description("Name of the layer (stack-system, skills, user-task ...).")]
    [Required]
    public string? Name { get; init; }

    [Description("Digest of the layer.")]
    [Digest]
    public string? Digest { get; init; }

    [Description("Its size in bytes.")]
    public long? Size { get; init; }
}

public sealed record ContextSource
{
    [Description("Kind of the source (code, issue, pull-request, pipeline ...).")]
    public string? Kind { get; init; }

    [Description("Name of the source.")]
    public string? Name { get; init; }

    [Description("Ref or commit that it was read at.")]
    public string? Ref { get; init; }

    [Description("Path of the file.")]
    public string? Path { get; init; }

    [Description("Who wrote it.")]
    public string? Author { get; init; }

    [Description("Digest of what was read.")]
    [Digest]
    public string? Digest { get; init; }

    [Description("How far it is trusted.")]
    [TrustTierValues]
    public string? TrustTier { get; init; }

    [Description("Whether something in it was redacted.")]
    public string? RedactionStatus { get; init; }
}

public static class AgentContextBundleKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentContextBundle", Plural = "agentcontextbundles", Context = "agents", Storage = "postgres/object-storage", Scope = KindScope.Org, Area = "Dispatch",
        Description = "Everything an agent was given, by digest and origin.",
        ShortNames = ["acb"],
        SpecType = typeof(AgentContextBundleSpec),
        StatusType = typeof(PlainStatus),
        RequiredSpec = ["dispatchRun", "digest", "sources"],
        Mutability = SpecMutability.Whole,
        ServerMade = true,
        NamePrefix = "acb-",
        RepositoryPath = "spec.dispatchRun",
        Columns = [new("Run", "spec.dispatchRun"), new("Digest", "spec.digest"), new("Findings", "spec.riskFindings", Wide: true)],
        References = [new("spec.dispatchRun", "AgentDispatchRun"), new("spec.memorySnapshotRef.name", "AgentMemorySnapshot")],
        DerivedLabels = [Rows.DispatchRun],
    };
}
