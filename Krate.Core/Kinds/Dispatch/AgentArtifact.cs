using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Dispatch;

public sealed record AgentArtifactSpec : ProductSpec
{
    [Description("AgentDispatchRun that made it.")]
    public string? DispatchRun { get; init; }

    [Description("AgentDispatchAttempt that made it.")]
    public string? Attempt { get; init; }

    [Description("What made it (agent, subagent, krate).")]
    public string? Producer { get; init; }

    [Description("What it is.")]
    [AllowedValues("diagnosis", "patch", "test-report", "release-report", "subagent-output", "workspace-diff", "log")]
    public string? Kind { get; init; }

    [Description("Digest of the content.")]
    [Digest]
    public string? Digest { get; init; }

    [Description("Size in bytes.")]
    [Range(0.0, double.MaxValue)]
    public long? Size { get; init; }

    [Description("Media type of the content.")]
    [MaxLength(255)]
    public string? MediaType { get; init; }

    [Description("Where the content is kept.")]
    public string? BlobRef { get; init; }

    [Description("Digest of the context bundle that it came of.")]
    [Digest]
    public string? ContextDigest { get; init; }

    [Description("Digest of the permission review that it came of.")]
    [Digest]
    public string? PermissionSnapshotDigest { get; init; }

    [Description("What it is about.")]
    public IReadOnlyList<ObjectRef>? TargetRefs { get; init; }

    [Description("How long it is kept, for instance 90d.")]
    [Duration]
    public string? Retention { get; init; }

    [Description("Whether it was scanned for secrets, and what came of it.")]
    public string? RedactionStatus { get; init; }

    [Description("For kind patch: the change itself.")]
    public ArtifactPatch? Patch { get; init; }
}

public sealed record ArtifactPatch
{
    [Description("Commit that the patch is against.")]
    [GitSha]
    public string? BaseSha { get; init; }

    [Description("Files that it changes.")]
    public IReadOnlyList<string>? Files { get; init; }

    [Description("How it is to be applied.")]
    public string? ApplyStrategy { get; init; }

    [Description("What a person should look at.")]
    public IReadOnlyList<string>? Warnings { get; init; }

    [Description("Files that do not apply.")]
    public IReadOnlyList<string>? Conflicts { get; init; }
}

public static class AgentArtifactKind
{
    public static KindDefinition Row { get; } = new()
    {
        Kind = "AgentArtifact", Plural = "agentartifacts", Context = "agents", Storage = "postgres/object-storage", Scope = KindScope.Org, Area = "Dispatch",
        Description = "Something that a run made, by digest.",
        ShortNames = ["art"],
        SpecType = typeof(AgentArtifactSpec),
        StatusType = typeof(PlainStatus),
        RequiredSpec = ["dispatchRun", "kind", "digest"],
        Mutability = SpecMutability.Whole,
        ServerMade = true,
        NamePrefix = "art-",
        RepositoryPath = "spec.dispatchRun",
        Columns = [new("Run", "spec.dispatchRun"), new("Kind", "spec.kind"), new("Size", "spec.size", "integer"), new("Digest", "spec.digest", Wide: true), new("Redaction", "spec.redactionStatus", Wide: true)],
        References =
        [
            new("spec.dispatchRun", "AgentDispatchRun"), new("spec.attempt", "AgentDispatchAttempt"), new("spec.targetRefs[].name", "") { KindField = "kind" },
        ],
        DerivedLabels = [Rows.DispatchRun],
        Validate = Validate,
    };

    private static IEnumerable<FieldError> Validate(JsonObject body)
    {
        if (body.At("spec.patch") is not null && body.Text("spec.kind") is not ("patch" or "workspace-diff"))
            yield return Rows.Invalid("spec.patch", "is only for the kinds patch and workspace-diff");
    }
}
