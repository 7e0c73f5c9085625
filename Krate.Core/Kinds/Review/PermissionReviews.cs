using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Identity;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Review;

/// <summary>What a permission review is asked (spec 05). Everything but the stack may be left open.</summary>
public sealed record ReviewQuestion
{
    public required string AgentStack { get; init; }

    public string? Repository { get; init; }

    /// <summary>Full name of the ref.</summary>
    public string? Ref { get; init; }

    /// <summary>Kubernetes user name; the one who asks when left out.</summary>
    public string? Actor { get; init; }

    public string? TriggerSource { get; init; }

    public string? TaskKind { get; init; }

    /// <summary>In place of the stack's.</summary>
    public string? RunnerPool { get; init; }

    /// <summary>In place of the stack's, by field of its spec: toolProfileRef, skillRefs, mcpServerRefs, contextLabelRefs.</summary>
    public JsonObject? Overrides { get; init; }

    /// <summary>What was asked before a run that was started by hand.</summary>
    public static ReviewQuestion OfRun(Resource run) => new()
    {
        AgentStack = run.Body.Text("spec.agentStack") ?? "", Repository = run.Body.Text("spec.repository"), Ref = run.Body.Text("spec.ref"), TaskKind = run.Body.Text("spec.taskKind"),
        RunnerPool = run.Body.Text("spec.runnerPool"), TriggerSource = "manual",
    };

    private static readonly string[] Fields = ["agentStack", "repository", "ref", "actor", "triggerSource", "taskKind", "runnerPool", "overrides"];
    private static readonly string[] Replaceable = ["toolProfileRef", "skillRefs", "mcpServerRefs", "contextLabelRefs"];

    /// <exception cref="ApiException">422 that names the field.</exception>
    public static ReviewQuestion Read(JsonObject body)
    {
        if (body.FirstOrDefault(f => !Fields.Contains(f.Key)).Key is { } unknown) throw Invalid(unknown, $"is unknown; a review has {string.Join(", ", Fields)}");
        if (body.FirstOrDefault(f => f.Key != "overrides" && f.Value is not null && f.Value.Text() is null).Key is { } wrong) throw Invalid(wrong, "must be a text");
        if (body.Text("agentStack") is not { Length: > 0 } stack) throw Invalid("agentStack", "is required: the name of the stack to review");
        if (body["overrides"] is not (null or JsonObject)) throw Invalid("overrides", "must be an object");
        if ((body["overrides"] as JsonObject)?.FirstOrDefault(f => !Replaceable.Contains(f.Key)).Key is { } field) throw Invalid("overrides." + field, $"cannot be replaced; {string.Join(", ", Replaceable)} can");
        return new()
        {
            AgentStack = stack, Repository = Given("repository"), Ref = Given("ref"), Actor = Given("actor"), TriggerSource = Given("triggerSource"), TaskKind = Given("taskKind"),
            RunnerPool = Given("runnerPool"), Overrides = body["overrides"] as JsonObject,
        };

        string? Given(string name) => body.Text(name) is { Length: > 0 } text ? text : null;
    }

    private static ApiException Invalid(string field, string problem) =>
        new(422, "Invalid", $"{field} {problem}", [new("VALIDATION_FAILED", field, problem)]) { ProductCode = "VALIDATION_FAILED" };
}

/// <summary>
/// Answers permission reviews for people: gathers what the pure <see cref="PermissionReview"/> needs, as the one who asks may know it. The same for
/// the API, the pages and the start of a run. Thread-safe.
/// </summary>
public sealed class PermissionReviews(KindCatalog catalog, IResourceGateway gateway, IResourceCache cache, IAuthorizer authorizer, IdentityResolver people, WorkTrust trust, TimeProvider time)
{
    private readonly KindDefinition stacks = catalog["AgentStack"];

    /// <exception cref="ApiException">403 or 404 when the one who asks may not read the stack or the repository, or asks for another without the right to impersonate.</exception>
    public async Task<JsonObject> AnswerAsync(Actor asker, string ns, ReviewQuestion question, CancellationToken ct)
    {
        var stack = await gateway.GetAsync(asker, stacks, ns, question.AgentStack, ct);
        var (review, used) = await ReviewAsync(asker, WithOverrides(stack, question), question, ct);
        return review.ToJson(used);
    }

    /// <summary>A stack as somebody is writing it, saved or not.</summary>
    public async Task<(PermissionReview Review, JsonArray Used)> ReviewAsync(Actor asker, Resource stack, ReviewQuestion question, CancellationToken ct)
    {
        var actor = await ActorAsync(asker, question.Actor, ct);
        var tier = question.Repository is { } name ? await trust.TierOfRefAsync(asker, actor, await gateway.GetAsync(asker, catalog["Repository"], stack.Namespace, name, ct), question.Ref, ct) : null;
        var scope = new ReviewScope
        {
            Repository = question.Repository, Ref = question.Ref, TriggerSource = question.TriggerSource, TaskKind = question.TaskKind, TrustTier = tier, User = actor.User,
            Teams = TeamsOf(actor, stack.Body.Text("spec.organizationRef") ?? ""),
        };
        var facts = new CachedReviewFacts(stack, catalog, cache, authorizer, time.GetUtcNow());
        var who = new ReviewPeople
        {
            Actor = actor.User,
            MayDispatch = May(actor, "dispatch", stacks, stack.Namespace, stack.Name),
            MayRead = kind => May(asker, "list", catalog[kind], stack.Namespace, ""),
            MayCreate = kind => May(asker, "create", catalog[kind], stack.Namespace, ""),
        };
        return (PermissionReview.Of(stack, facts, scope, who), facts.Used);
    }

    /// <summary>The same answers, as if the drafts were saved already.</summary>
    public PermissionReviews With(ReviewDrafts drafts) => new(catalog, gateway, new DraftedCache(cache, drafts), authorizer, people, trust, time);

    /// <summary>How a stack that is written or saved stands, wherever it may run.</summary>
    public StackReview Readiness(Resource stack) => StackReview.Of(stack, new CachedReviewFacts(stack, catalog, cache, authorizer, time.GetUtcNow()), ReviewScope.Anywhere);

    /// <summary>How a stack stands now for a run that was admitted, in the trust tier that it was admitted in.</summary>
    internal StackReview ForRun(Resource stack, Resource run, Resource attempt)
    {
        var (question, user) = (ReviewQuestion.OfRun(run), run.Body.Text("status.startedBy") ?? "");
        var starter = people.Resolve(new Credential(user, time.GetUtcNow())).Value ?? new Actor(user, []);
        var scope = new ReviewScope
        {
            Repository = question.Repository, Ref = question.Ref, TriggerSource = question.TriggerSource, TaskKind = question.TaskKind, User = user,
            TrustTier = attempt.Body.Text("status.permissionSnapshot.trustTier"), Teams = TeamsOf(starter, stack.Body.Text("spec.organizationRef") ?? ""),
        };
        return StackReview.Of(stack, new CachedReviewFacts(stack, catalog, cache, authorizer, time.GetUtcNow()), scope);
    }

    private static Resource WithOverrides(Resource stack, ReviewQuestion question)
    {
        if (question.RunnerPool is null && question.Overrides is null) return stack;
        var document = stack.Edit();
        if (question.RunnerPool is { } pool) document.Child("spec")["runnerPool"] = pool;
        foreach (var (field, value) in question.Overrides ?? []) document.Child("spec")[field] = value?.DeepClone();
        return new Resource(stack.Kind, document);
    }

    private async Task<Actor> ActorAsync(Actor asker, string? user, CancellationToken ct)
    {
        if (user is null || user == asker.User) return asker;
        var access = new AccessRequest { Verb = "impersonate", Resource = "users", Name = user };
        if (await gateway.ReviewAsync(asker, access, ct) is { Allowed: false } refused) throw ApiException.Forbidden($"a review for {user} needs the right to impersonate them: {refused.Reason}");
        return people.Resolve(new Credential(user, time.GetUtcNow())).Value ?? new Actor(user, [WellKnown.AuthenticatedGroup]);
    }

    private bool May(Actor actor, string verb, KindDefinition kind, string ns, string name) =>
        authorizer.Decide(actor, new AccessRequest { Verb = verb, Group = kind.Group, Resource = kind.Plural, Namespace = ns, Name = name }).Allowed;

    private List<string> TeamsOf(Actor actor, string org) =>
        [.. cache.List(catalog["Team"]).Where(t => t.Label(WellKnown.OrgLabel) == org && actor.InGroup(WellKnown.TeamGroup(org, t.Name))).Select(t => t.Name)];
}
