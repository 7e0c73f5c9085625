using System.ComponentModel;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Audit;

public sealed record AuditEventSpec : ProductSpec
{
    [Description("What happened (resource.created, request.denied, action.token ...).")]
    public string? Type { get; init; }

    [Description("Who did it.")]
    public AuditActor? Actor { get; init; }

    [Description("Door that it came through: api, ui, git, controller.")]
    public string? Source { get; init; }

    [Description("What it was done to.")]
    public AuditTarget? Target { get; init; }

    [Description("Allowed or Denied.")]
    public string? Decision { get; init; }

    [Description("Why.")]
    public string? Reason { get; init; }

    [Description("Digests of what was decided on, by name.")]
    public IReadOnlyDictionary<string, string>? Digests { get; init; }

    [Description("What ties it to logs and to the command line.")]
    public AuditMetadata? Metadata { get; init; }
}

public sealed record AuditActor
{
    [Description("User, ServiceAccount or Controller.")]
    public string? Kind { get; init; }

    [Description("Kubernetes user name.")]
    public string? Name { get; init; }

    [Description("Groups at that moment.")]
    public IReadOnlyList<string>? Groups { get; init; }

    [Description("Who acted in the name of the actor.")]
    public string? ImpersonatedBy { get; init; }
}

public sealed record AuditTarget
{
    [Description("API group; empty for the core group.")]
    public string? Group { get; init; }

    [Description("Kind of the resource.")]
    public string? Kind { get; init; }

    [Description("Namespace of the resource.")]
    public string? Namespace { get; init; }

    [Description("Name of the resource.")]
    public string? Name { get; init; }

    [Description("Subresource or action.")]
    public string? Subresource { get; init; }

    [Description("Uid of the resource.")]
    public string? Uid { get; init; }
}

public sealed record AuditMetadata
{
    [Description("Ties together logs, audit and error texts of one request.")]
    public string? CorrelationId { get; init; }

    [Description("The equivalent kubectl command.")]
    public string? Kubectl { get; init; }

    [Description("Ref that moved.")]
    public string? Ref { get; init; }

    [Description("Object that the ref pointed to before; zeros when it is new.")]
    public string? Before { get; init; }

    [Description("Object that the ref points to since; zeros when it was deleted.")]
    public string? After { get; init; }
}

public static class AuditEventKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AuditEvent", Plural = "auditevents", Context = "audit", Storage = "postgres", Scope = KindScope.Org, Area = "Audit",
        Description = "Who did what to which resource, and whether it was allowed; append-only and hash-chained.",
        ShortNames = ["audit"],
        // Not with `kubectl get krate`: a year of audit would drown the rest.
        Categories = [],
        SpecType = typeof(AuditEventSpec),
        StatusType = typeof(PlainStatus),
        RequiredSpec = ["type", "actor", "target"],
        Mutability = SpecMutability.Whole,
        ServerMade = true,
        ReadOnly = true,
        NamePrefix = "audit-",
        MaxNameLength = 253,
        Columns =
        [
            new("Type", "spec.type"), new("Actor", "spec.actor.name"), new("Target Kind", "spec.target.kind"), new("Target", "spec.target.name"), new("Decision", "spec.decision"),
            new("Source", "spec.source", Wide: true), new("Correlation", "spec.metadata.correlationId", Wide: true),
        ],
    };
}
