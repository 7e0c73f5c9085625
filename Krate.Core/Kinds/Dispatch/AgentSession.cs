using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Dispatch;

public sealed record AgentSessionSpec : ProductSpec
{
    [Description("Session at Agent Mux.")]
    [MaxLength(255)]
    public string? AgentMuxSessionId { get; init; }

    [Description("AgentDispatchRun that the session belongs to.")]
    public string? DispatchRun { get; init; }

    [Description("AgentDispatchAttempt that the session belongs to.")]
    public string? Attempt { get; init; }

    [Description("AgentWorkspace that it works in.")]
    public string? WorkspaceRef { get; init; }

    [Description("Adapter that speaks to the agent.")]
    public string? Adapter { get; init; }
}

public sealed record AgentSessionStatus : ProductStatus
{
    [Description("Last agent event that was taken in.")]
    public string? EventCursor { get; init; }

    [Description("How the agent is spoken to.")]
    public string? Transport { get; init; }
}

public static class AgentSessionKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentSession", Plural = "agentsessions", Context = "agents", Storage = "postgres", Scope = KindScope.Org, Area = "Dispatch",
        Description = "A conversation with an agent.",
        ShortNames = ["session"],
        SpecType = typeof(AgentSessionSpec),
        StatusType = typeof(AgentSessionStatus),
        RequiredSpec = ["agentMuxSessionId", "dispatchRun"],
        Mutability = SpecMutability.Fixed,
        ServerMade = true,
        NamePrefix = "ses-",
        RepositoryPath = "spec.dispatchRun",
        Columns = [new("Run", "spec.dispatchRun"), new("Adapter", "spec.adapter"), Rows.Phase, new("Transport", "status.transport", Wide: true), new("Workspace", "spec.workspaceRef", Wide: true)],
        References = [new("spec.dispatchRun", "AgentDispatchRun"), new("spec.attempt", "AgentDispatchAttempt"), new("spec.workspaceRef", "AgentWorkspace")],
        DerivedLabels = [Rows.DispatchRun],
    };
}

public sealed record AgentSessionTranscriptSpec : ProductSpec
{
    [Description("AgentSession that was recorded.")]
    public string? SessionRef { get; init; }
}

public static class AgentSessionTranscriptKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentSessionTranscript", Plural = "agentsessiontranscripts", Context = "agents", Storage = "postgres/object-storage", Scope = KindScope.Org, Area = "Dispatch",
        Description = "What was said and done in a session, redacted.",
        SpecType = typeof(AgentSessionTranscriptSpec),
        StatusType = typeof(PlainStatus),
        PreserveUnknownSpec = true,
        RequiredSpec = ["sessionRef"],
        Mutability = SpecMutability.Fixed,
        ServerMade = true,
        RepositoryPath = "spec.sessionRef",
        Columns = [new("Session", "spec.sessionRef"), Rows.Phase],
        References = [new("spec.sessionRef", "AgentSession")],
    };
}

public sealed record AgentSessionAttachmentSpec : ProductSpec
{
    [Description("AgentSession that it is attached to.")]
    public string? SessionRef { get; init; }

    [Description("Where it comes from.")]
    [MaxLength(63)]
    public string? SourceType { get; init; }

    [Description("Digest of the content.")]
    [Digest]
    public string? Digest { get; init; }
}

public static class AgentSessionAttachmentKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentSessionAttachment", Plural = "agentsessionattachments", Context = "agents", Storage = "postgres/object-storage", Scope = KindScope.Org, Area = "Dispatch",
        Description = "Something that was given to a session beside the prompt.",
        SpecType = typeof(AgentSessionAttachmentSpec),
        StatusType = typeof(PlainStatus),
        PreserveUnknownSpec = true,
        RequiredSpec = ["sessionRef", "sourceType", "digest"],
        Mutability = SpecMutability.Fixed,
        RepositoryPath = "spec.sessionRef",
        Columns = [new("Session", "spec.sessionRef"), new("Source", "spec.sourceType"), new("Digest", "spec.digest", Wide: true)],
        References = [new("spec.sessionRef", "AgentSession", Required: true)],
    };
}
