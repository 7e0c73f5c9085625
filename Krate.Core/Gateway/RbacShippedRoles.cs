namespace Krate.Core.Gateway;

/// <summary>
/// The ClusterRoles that Krate ships. Each is a template: it means something only where a binding gives it, usually in one
/// org's namespace. Only <c>krate-org-admin</c> (and <c>cluster-admin</c>) holds an unnamed <c>get</c> on repositories; everybody
/// else sees the repositories that the Repository reconciler or a binding names, and what belongs to them.
/// </summary>
internal static class RbacShippedRoles
{
    private const string Krate = Resources.WellKnown.ApiGroup;
    private const string Rbac = RbacRules.ApiGroup;

    /// <summary>Issues, pull requests and what hangs on them.</summary>
    private static readonly string[] Work = ["pullrequests", "issues", "comments", "reviews", "pipelines", "jobs"];

    /// <summary>How stacks are put together. No credential is in any of them.</summary>
    private static readonly string[] AgentConfig =
    [
        "agentstacks", "agentsubagents", "agenttoolprofiles", "agentmcpservers", "agentskills", "agenttriggerrules", "agentcontextlabels", "agentworkspacepolicies",
        "agentprojects", "agentmemoryrepositories", "agentmemorysources", "agentmemoryontologies", "agentmemoryassociations",
    ];

    /// <summary>How Krate reaches models and gateways: names of Secrets and addresses.</summary>
    private static readonly string[] AgentPlumbing = ["agentadapters", "agenttransportbindings", "agentproviderconfigs", "agentgatewayconfigs"];

    /// <summary>What runs and what came of it.</summary>
    private static readonly string[] AgentRecords =
    [
        "agentdispatchruns", "agentdispatchattempts", "agentsessions", "agentworkspaces", "agentworkspaceruntimes", "agentapprovals", "agentartifacts", "agentreviewartifacts",
        "agenttriggerexecutions", "agentcapabilityrequirements", "workitemsessionlinks", "workitemworkspacelinks", "agentrunjournalevents",
        "agentmemorysnapshots", "agentmemoryqueries", "agentmemoryupdates", "agentrunmemoryimports",
    ];

    /// <summary>What an agent read and said, word by word.</summary>
    private static readonly string[] AgentContent = ["agentcontextbundles", "agentsessiontranscripts", "agentsessionattachments"];

    private static readonly string[] Rules = ["branchprotections", "refpolicies", "policyprofiles", "policytemplates", "policybindings"];

    private static readonly string[] Grants = ["agentserviceaccounts", "agentrolebindings", "agentsecretgrants", "agentconfiggrants"];

    private static readonly string[] Read = ["get", "list", "watch"];

    private static readonly string[] Write = ["create", "update", "patch", "delete"];

    public static IReadOnlyList<ShippedRole> All { get; } =
    [
        new("cluster-admin", "Everything, everywhere.", RbacRules.Everything),
        new("system:discovery", "What clients ask before anything else.",
            [Paths("/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version", "/version/")]),
        new("system:public-info-viewer", "Whether the server lives and which version it is.", [Paths("/healthz", "/livez", "/readyz", "/version", "/version/")]),
        new("system:basic-user", "Questions about oneself, and one's own tokens.",
        [
            On("authorization.k8s.io", ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], "create"),
            On("authentication.k8s.io", ["selfsubjectreviews"], "create"),
            // The actions answer each person about their own User only.
            On(Krate, ["users/token", "users/revoke-tokens"], "create"),
        ]),
        new("krate-viewer", "Reads an org's work and agents, within the repositories that one may get. No Secrets, grants, transcripts or audit.", Viewer()),
        new("krate-developer", "Viewer, who opens issues and pull requests, comments, reviews and dispatches agents. Pushing is given per repository.", Developer()),
        new("krate-maintainer", "Developer, who also configures stacks, rules and branches, pushes, merges and decides approvals.", Maintainer()),
        new("krate-org-admin", "Everything of one org: every repository, its people, grants, Secrets, roles and tokens. Gives no more than it holds.", OrgAdmin()),
        new("krate-agent-readonly", "An agent that reads issues, pull requests, pipelines and job logs of the repositories it may get.", AgentReadonly()),
        new("krate-agent-repository-repair", "Read-only agent that may also push to the repositories it may get, open pull requests and comment.",
            [.. AgentReadonly(), On(Krate, ["repositories"], "push"), On(Krate, ["pullrequests", "comments"], "create")]),
        new("krate-agent-ci-diagnoser", "Read-only agent that may also comment on what it found.", [.. AgentReadonly(), On(Krate, ["comments"], "create")]),
        new("krate-agent-workspace-manager", "Keeps agent workspaces in order; reads no code and changes no repository.",
            [On(Krate, ["agentworkspaces"], [.. Read, "update", "patch", "delete"]), On(Krate, ["agentworkspaceruntimes", "agentworkspacepolicies"], Read)]),
        new("krate-runner-untrusted", "A runner for code of strangers: sees the jobs it is to run, nothing else.", [On(Krate, ["jobs"], Read)]),
        new("krate-runner-trusted", "A runner for the org's own code: also pipelines, attempts and workspaces.",
            [On(Krate, ["jobs", "pipelines", "agentdispatchattempts", "agentworkspaces"], Read)]),
        new("krate-secret-grant-admin", "Keeps Secrets and says who may use them. Dangerous: a grant hands a Secret to an agent.",
        [
            On("", ["secrets"], [.. Read, .. Write]),
            On("", ["configmaps", "serviceaccounts"], Read),
            On(Krate, ["agentsecretgrants", "agentconfiggrants"], [.. Read, .. Write]),
            On(Krate, ["agentserviceaccounts", "agentstacks", "agenttoolprofiles", "agentmcpservers", "agentskills"], Read),
        ]),
        new("krate-ci-reporter", "A CI outside of Krate: posts pipelines, their jobs and logs, within the repositories that it may get.",
        [
            On(Krate, ["pipelines", "jobs"], [.. Read, "create", "finish"]),
            On(Krate, ["jobs"], "start", "log"),
            On(Krate, ["jobs/log"], "create"),
        ]),
        new("krate-agent-approver", "Decides what agents ask for, and reads what is needed to judge it.",
        [
            On(Krate, ["agentapprovals"], [.. Read, "decide"]),
            On(Krate, ["agentdispatchruns", "agentdispatchattempts", "agentartifacts", "agentreviewartifacts", "agentcontextbundles", "agentstacks", .. Work], Read),
            On(Krate, ["repositories"], "list", "watch"),
        ]),
    ];

    private static PolicyRule[] Viewer() =>
    [
        On(Krate, ["repositories"], "list", "watch"),
        On(Krate, [.. Work, .. AgentConfig, .. AgentRecords, .. Rules, "runnerpools", "teams", "views", "selectors"], Read),
        On(Krate, ["jobs"], "log"),
        On("", ["events"], Read),
        On("", ["namespaces"], "get"),
    ];

    private static PolicyRule[] Developer() =>
    [
        .. Viewer(),
        On(Krate, [.. AgentContent, .. AgentPlumbing, .. Grants, "policyexceptionrequests", "repositorypermissions"], Read),
        On("", ["serviceaccounts", "configmaps"], Read),
        On(Krate, ["issues", "pullrequests"], "create", "update", "patch"),
        On(Krate, ["comments", "reviews", "agentmemoryqueries", "policyexceptionrequests"], "create"),
        On(Krate, ["comments"], "resolve"),
        On(Krate, ["views", "selectors"], Write),
        On(Krate, ["agentstacks"], "dispatch"),
        On(Krate, ["agentdispatchruns"], "create", "cancel", "retry", "resume", "continue"),
        On(Krate, ["agentsessions"], "cancel", "resume", "fork", "continue"),
        On(Krate, ["pipelines"], "create", "cancel", "rerun"),
    ];

    private static PolicyRule[] Maintainer() =>
    [
        .. Developer(),
        On(Krate, ["repositories"], "create", "update", "patch", "push"),
        On(Krate, [.. AgentConfig, "branchprotections", "refpolicies", "webhooksubscriptions"], Write),
        On(Krate, ["webhooksubscriptions", "webhookdeliveries", "auditevents"], Read),
        On(Krate, ["webhooksubscriptions"], "test"),
        On(Krate, ["agentmcpservers"], "probe", "review"),
        On(Krate, ["agentcontextlabels"], "review", "reject"),
        On(Krate, ["webhookdeliveries"], "replay"),
        On(Krate, ["pullrequests"], "merge"),
        On(Krate, ["issues", "comments"], "update", "patch", "delete"),
        On(Krate, ["agentworkspaces"], "update", "patch", "delete"),
        On(Krate, ["agentapprovals"], "decide"),
        On("", ["configmaps"], Write),
        On(Rbac, ["roles", "rolebindings"], Read),
    ];

    /// <summary>Whole in the product's group; in the native groups by name, without bind, escalate and impersonate.</summary>
    private static PolicyRule[] OrgAdmin() =>
    [
        On(Krate, ["*"], "*"),
        On("", ["serviceaccounts", "configmaps", "secrets"], [.. Read, .. Write, "deletecollection"]),
        On("", ["serviceaccounts/token"], "create"),
        On("", ["events"], Read),
        On("", ["namespaces"], "get"),
        On(Rbac, ["roles", "rolebindings"], [.. Read, .. Write, "deletecollection"]),
        On("authorization.k8s.io", ["localsubjectaccessreviews"], "create"),
    ];

    private static PolicyRule[] AgentReadonly() => [On(Krate, ["repositories"], "list", "watch"), On(Krate, Work, Read), On(Krate, ["jobs"], "log")];

    private static PolicyRule On(string group, string[] resources, params string[] verbs) => new(verbs, [group], resources, [], []);

    private static PolicyRule Paths(params string[] paths) => new(["get"], [], [], [], paths);
}

/// <param name="Description">What it is for, in the annotation <c>kubernetes.io/description</c>.</param>
internal sealed record ShippedRole(string Name, string Description, IReadOnlyList<PolicyRule> Rules);
