using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Runs;

public sealed record RunnerPoolSpec : ProductSpec
{
    [Description("Runners kept ready while nothing runs.")]
    [Range(0, 10_000)]
    public int? WarmReplicas { get; init; }

    [Description("Most runners at the same time; more work waits.")]
    [Range(0, 10_000)]
    public int? MaxReplicas { get; init; }

    [Description("Work that the pool may take: untrusted work runs only in untrusted pools.")]
    [TrustTierValues]
    public string? TrustTier { get; init; }

    [Description("Image of the runners, where runners are containers.")]
    public string? Image { get; init; }

    [Description("ServiceAccount that the runners act as.")]
    public string? ServiceAccountRef { get; init; }

    [Description("Repositories that may use the pool; all when empty.")]
    public IReadOnlyList<string>? AllowedRepositories { get; init; }

    [Description("Agent stacks that may use the pool; all when empty.")]
    public IReadOnlyList<string>? AllowedAgentStacks { get; init; }

    [Description("Settings of the cache that runs of one repository share.")]
    public JsonObject? Cache { get; init; }
}

public static class RunnerPoolKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "RunnerPool", Plural = "runnerpools", Context = "runners-ci", Storage = "etcd", Scope = KindScope.Org, Area = "Runs",
        Description = "Runners of one trust tier for pipelines and agents.",
        ShortNames = ["rpool"],
        SpecType = typeof(RunnerPoolSpec),
        StatusType = typeof(PlainStatus),
        RequiredSpec = ["warmReplicas", "maxReplicas"],
        Columns =
        [
            new("Warm", "spec.warmReplicas", "integer"), new("Max", "spec.maxReplicas", "integer"), new("Trust", "spec.trustTier"),
            new("Service Account", "spec.serviceAccountRef"), Rows.Phase, Rows.Ready, new("Image", "spec.image", Wide: true),
        ],
        References =
        [
            new("spec.serviceAccountRef", "ServiceAccount"), new("spec.allowedRepositories[]", "Repository"), new("spec.allowedAgentStacks[]", "AgentStack"),
        ],
        DerivedLabels = [Rows.TrustTier, Rows.ServiceAccount],
        // A pool that does not say is the one with less power.
        Default = body => Rows.Default(body, "spec.trustTier", TrustTier.Untrusted),
        Validate = Validate,
    };

    private static IEnumerable<FieldError> Validate(JsonObject body)
    {
        if (Count(body, "spec.warmReplicas") is { } warm && Count(body, "spec.maxReplicas") is { } max && warm > max)
            yield return Rows.Invalid("spec.warmReplicas", "must not exceed maxReplicas");
    }

    private static double? Count(JsonObject body, string path) =>
        body.At(path) is JsonValue v && v.GetValueKind() is System.Text.Json.JsonValueKind.Number ? double.Parse(v.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture) : null;
}
