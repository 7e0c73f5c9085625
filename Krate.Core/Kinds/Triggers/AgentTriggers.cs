using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Krate.Core.Kinds.Stacks;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Triggers;

public sealed record AgentTriggerRuleSpec : ProductSpec
{
    [Description("Whether the rule is in force.")]
    [AllowedValues("draft", "active", "paused", "disabled", "archived")]
    public string? LifecycleState { get; init; }

    [Description("What may start a run.")]
    [AllowedValues("ci", "webhook", "issue-comment", "pr-comment", "label", "push", "tag", "schedule", "manual", "repository-dispatch")]
    public IReadOnlyList<string>? Sources { get; init; }

    [Description("Which events of these sources count.")]
    public TriggerMatch? Match { get; init; }

    [Description("AgentStack that runs.")]
    public string? AgentStack { get; init; }

    [Description("Kind of task.")]
    [MaxLength(63)]
    public string? TaskKind { get; init; }

    [Description("Prompt of the task, with placeholders.")]
    public string? PromptTemplate { get; init; }

    [Description("AgentContextLabels that are added to the prompt.")]
    public IReadOnlyList<string>? ContextLabels { get; init; }

    [Description("What goes into the context bundle.")]
    public ContextBundleTemplate? ContextBundleTemplate { get; init; }

    [Description("RunnerPool that runs wait for.")]
    public string? RunnerPool { get; init; }

    [Description("When a person must be asked.")]
    public ApprovalPolicy? ApprovalPolicy { get; init; }

    [Description("Which events count as the same.")]
    public DedupePolicy? DedupePolicy { get; init; }

    [Description("What happens when a run of the rule is under way.")]
    public ConcurrencyPolicy? ConcurrencyPolicy { get; init; }

    [Description("Where runs of the rule may write to.")]
    public WriteBackPolicy? WriteBackPolicy { get; init; }
}

public sealed record TriggerMatch
{
    [Description("Repository of the event.")]
    public string? Repository { get; init; }

    [Description("Types of event; all when empty.")]
    public IReadOnlyList<string>? EventTypes { get; init; }

    [Description("Branches of the event; all when empty.")]
    public RefGlobs? Branches { get; init; }
}

public sealed record ContextBundleTemplate
{
    [Description("Parts that are gathered.")]
    public IReadOnlyList<string>? Include { get; init; }

    [Description("Largest bundle in bytes.")]
    [Range(1, 100_000_000)]
    public long? MaxBytes { get; init; }

    [Description("Whether known secrets are redacted; Krate redacts always.")]
    public bool? RedactSecrets { get; init; }
}

public sealed record DedupePolicy
{
    [Description("Template of the key; events with an equal key within the window are one.")]
    [MaxLength(1000)]
    public string? Key { get; init; }

    [Description("Length of the window, for instance 30m.")]
    [Duration]
    public string? Window { get; init; }
}

public sealed record ConcurrencyPolicy
{
    [Description("coalesce into the waiting run, queue, reject, or run in parallel.")]
    [AllowedValues("coalesce", "queue", "reject", "parallel")]
    public string? Mode { get; init; }
}

public static class AgentTriggerRuleKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentTriggerRule", Plural = "agenttriggerrules", Context = "agents", Storage = "etcd", Scope = KindScope.Org, Area = "Triggers",
        Description = "Says which events give which task to which agent.",
        ShortNames = ["trigger"],
        SpecType = typeof(AgentTriggerRuleSpec),
        StatusType = typeof(PlainStatus),
        RequiredSpec = ["sources", "agentStack", "taskKind"],
        RepositoryPath = "spec.match.repository",
        Columns =
        [
            new("Stack", "spec.agentStack"), new("Task", "spec.taskKind"), new("Sources", "spec.sources"), new("State", "spec.lifecycleState"), Rows.Ready,
            new("Repository", "spec.match.repository", Wide: true), new("Pool", "spec.runnerPool", Wide: true), Rows.Reason,
        ],
        References =
        [
            new("spec.agentStack", "AgentStack"), new("spec.match.repository", "Repository"), new("spec.contextLabels[]", "AgentContextLabel"), new("spec.runnerPool", "RunnerPool"),
        ],
        DerivedLabels = [new(WellKnown.RepositoryLabel, "spec.match.repository"), Rows.AgentStack, Rows.RunnerPool],
        Default = body => Rows.Default(body, "spec.writeBackPolicy.requireApproval", true),
    };
}

public sealed record AgentTriggerExecutionSpec : ProductSpec
{
    [Description("AgentTriggerRule that was evaluated.")]
    public string? TriggerRule { get; init; }

    [Description("Its generation.")]
    [Range(0, int.MaxValue)]
    public long? RuleGeneration { get; init; }

    [Description("Event that it was evaluated for.")]
    public ObjectRef? SourceEvent { get; init; }

    [Description("What came of it.")]
    [AllowedValues("created", "coalesced", "deduplicated", "rejected", "dry-run", "not-matched")]
    public string? Decision { get; init; }

    [Description("Key by which equal events were recognised.")]
    public string? DedupeKey { get; init; }

    [Description("Why.")]
    public IReadOnlyList<string>? Reasons { get; init; }

    [Description("AgentDispatchRun that was made or joined.")]
    public string? DispatchRun { get; init; }
}

public static class AgentTriggerExecutionKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentTriggerExecution", Plural = "agenttriggerexecutions", Context = "agents", Storage = "postgres", Scope = KindScope.Org, Area = "Triggers",
        Description = "One evaluation of a trigger rule, and what came of it.",
        ShortNames = ["ate"],
        SpecType = typeof(AgentTriggerExecutionSpec),
        StatusType = typeof(PlainStatus),
        RequiredSpec = ["triggerRule", "sourceEvent", "decision"],
        Mutability = SpecMutability.Fixed,
        ServerMade = true,
        NamePrefix = "ate-",
        RepositoryPath = "spec.triggerRule",
        Columns = [new("Rule", "spec.triggerRule"), new("Event", "spec.sourceEvent.name"), new("Decision", "spec.decision"), new("Run", "spec.dispatchRun"), new("Reasons", "spec.reasons", Wide: true)],
        References = [new("spec.triggerRule", "AgentTriggerRule"), new("spec.dispatchRun", "AgentDispatchRun"), new("spec.sourceEvent.name", "") { KindField = "kind" }],
        DerivedLabels =
        [
            new(WellKnown.TriggerRuleLabel, "spec.triggerRule"), Rows.DispatchRun,
            new(WellKnown.SourceKindLabel, "spec.sourceEvent.kind"), new(WellKnown.SourceNameLabel, "spec.sourceEvent.name"),
        ],
    };
}
