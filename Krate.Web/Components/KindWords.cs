using Krate.Core.Resources;

namespace Krate.Web.Components;

/// <summary>Kinds in the words of pages. Kinds keep their own spelling.</summary>
public static class KindWords
{
    /// <summary><c>AgentWorkspacePolicies</c>: the kind's spelling with the plural's ending.</summary>
    public static string Plural(KindDefinition kind)
    {
        var common = 0;
        while (common < kind.Kind.Length && common < kind.Plural.Length && char.ToLowerInvariant(kind.Kind[common]) == kind.Plural[common]) common++;
        return kind.Kind[..common] + kind.Plural[common..];
    }

    /// <summary>"an AgentStack", "a Secret".</summary>
    public static string One(KindDefinition kind) => ("AEIO".Contains(kind.Kind[0], StringComparison.Ordinal) ? "an " : "a ") + kind.Kind;

    public static string Icon(KindDefinition kind) => kind.Kind switch
    {
        "AgentStack" or "AgentSubagent" or "AgentAdapter" => Lucide.Bot,
        "AgentToolProfile" => Lucide.Wrench,
        "AgentMcpServer" or "AgentTransportBinding" or "AgentGatewayConfig" => Lucide.Plug,
        "AgentSkill" => Lucide.BookOpen,
        "AgentContextLabel" or "Selector" or "View" => Lucide.Tag,
        "AgentServiceAccount" or "ServiceAccount" or "IdentityMapping" => Lucide.IdCard,
        "AgentSecretGrant" or "Secret" or "SSHKey" => Lucide.KeyRound,
        "AgentConfigGrant" or "ConfigMap" => Lucide.SlidersHorizontal,
        "AgentWorkspacePolicy" or "AgentWorkspace" or "AgentWorkspaceRuntime" => Lucide.Layers,
        "AgentDispatchRun" or "AgentDispatchAttempt" or "Pipeline" or "Job" or "AgentSession" => Lucide.CirclePlay,
        "AgentApproval" or "Review" or "AgentReviewArtifact" => Lucide.ListChecks,
        "AgentTriggerRule" or "AgentTriggerExecution" => Lucide.Zap,
        "RunnerPool" => Lucide.Server,
        "Repository" => Lucide.FolderTree,
        "PullRequest" => Lucide.GitPullRequest,
        "Issue" => Lucide.CircleDot,
        "Comment" => Lucide.MessageSquare,
        "Team" or "Organization" => Lucide.Users,
        "User" or "Invite" => Lucide.UserRound,
        "Event" or "AuditEvent" or "AgentRunJournalEvent" => Lucide.Activity,
        "Namespace" or "OrgNamespaceBinding" => Lucide.Container,
        "Role" or "ClusterRole" or "RoleBinding" or "ClusterRoleBinding" or "AgentRoleBinding" or "RepositoryPermission" => Lucide.Shield,
        "RefPolicy" or "BranchProtection" or "PolicyProfile" or "PolicyTemplate" or "PolicyBinding" or "PolicyExceptionRequest" or "OrgSharingPolicy" => Lucide.ShieldCheck,
        "WebhookSubscription" or "WebhookDelivery" => Lucide.Webhook,
        "AuthProvider" => Lucide.LogIn,
        "Lease" => Lucide.Lock,
        _ when kind.Kind.Contains("Memory", StringComparison.Ordinal) => Lucide.Brain,
        _ => Lucide.Box,
    };
}
