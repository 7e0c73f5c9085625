using Krate.Core.Kinds.Approvals;
using Krate.Core.Kinds.Audit;
using Krate.Core.Kinds.Code;
using Krate.Core.Kinds.Dispatch;
using Krate.Core.Kinds.Grants;
using Krate.Core.Kinds.Hooks;
using Krate.Core.Kinds.Memory;
using Krate.Core.Kinds.Native;
using Krate.Core.Kinds.Orgs;
using Krate.Core.Kinds.Policy;
using Krate.Core.Kinds.Runs;
using Krate.Core.Kinds.SignIn;
using Krate.Core.Kinds.Stacks;
using Krate.Core.Kinds.Triggers;
using Krate.Core.Kinds.Work;
using Krate.Core.Resources;

namespace Krate.Core.Kinds;

/// <summary>The table of contents: every kind, one line each, grouped by area. Order is that of navigation and docs.</summary>
public static class KindTable
{
    public static IReadOnlyList<KindDefinition> All { get; } =
    [
        // Organizations and people
        OrganizationKind.Row,
        OrgNamespaceBindingKind.Row,
        OrgSharingPolicyKind.Row,
        UserKind.Row,
        TeamKind.Row,
        InviteKind.Row,
        IdentityMappingKind.Row,
        AuthProviderKind.Row,

        // Code
        RepositoryKind.Row,
        BranchProtectionKind.Row,
        RefPolicyKind.Row,
        RepositoryPermissionKind.Row,
        SSHKeyKind.Row,

        // Work
        IssueKind.Row,
        PullRequestKind.Row,
        ReviewKind.Row,
        CommentKind.Row,
        ViewKind.Row,
        SelectorKind.Row,

        // Runs
        RunnerPoolKind.Row,
        PipelineKind.Row,
        JobKind.Row,

        // Hooks
        WebhookSubscriptionKind.Row,
        WebhookDeliveryKind.Row,

        // Stacks
        AgentStackKind.Row,
        AgentSubagentKind.Row,
        AgentToolProfileKind.Row,
        AgentMcpServerKind.Row,
        AgentSkillKind.Row,
        AgentContextLabelKind.Row,
        AgentAdapterKind.Row,
        AgentTransportBindingKind.Row,
        AgentProviderConfigKind.Row,
        AgentGatewayConfigKind.Row,
        AgentProjectKind.Row,
        AgentCapabilityRequirementKind.Row,

        // Grants
        AgentServiceAccountKind.Row,
        AgentRoleBindingKind.Row,
        AgentSecretGrantKind.Row,
        AgentConfigGrantKind.Row,

        // Dispatch
        AgentDispatchRunKind.Row,
        AgentDispatchAttemptKind.Row,
        AgentSessionKind.Row,
        AgentSessionTranscriptKind.Row,
        AgentSessionAttachmentKind.Row,
        AgentContextBundleKind.Row,
        AgentArtifactKind.Row,
        AgentWorkspaceKind.Row,
        AgentWorkspaceRuntimeKind.Row,
        AgentWorkspacePolicyKind.Row,
        WorkItemSessionLinkKind.Row,
        WorkItemWorkspaceLinkKind.Row,

        // Approvals
        AgentApprovalKind.Row,
        AgentReviewArtifactKind.Row,

        // Triggers
        AgentTriggerRuleKind.Row,
        AgentTriggerExecutionKind.Row,

        // Memory
        AgentMemoryRepositoryKind.Row,
        AgentMemorySourceKind.Row,
        AgentMemoryOntologyKind.Row,
        AgentMemoryAssociationKind.Row,
        AgentMemorySnapshotKind.Row,
        AgentMemoryQueryKind.Row,
        AgentMemoryUpdateKind.Row,
        AgentRunMemoryImportKind.Row,
        AgentRunJournalEventKind.Row,

        // Policy
        PolicyProfileKind.Row,
        PolicyTemplateKind.Row,
        PolicyBindingKind.Row,
        PolicyExceptionRequestKind.Row,

        // Audit
        AuditEventKind.Row,

        // Native
        .. CoreKinds.All,
        .. RbacKinds.All,
        .. ReviewKinds.All,
    ];

    /// <summary>The catalog that everybody takes (a singleton in the container).</summary>
    public static KindCatalog Catalog { get; } = new(All);
}
