using Krate.Core.Kinds;
using Krate.Core.Resources;

namespace Krate.Tests.Kinds;

/// <summary>The table against lists that were written from the specification and the seed.</summary>
public sealed class SpecifiedFieldsTests
{
    public static TheoryData<string, string> Fields => [.. Lines("fields.txt").Select(l => new TheoryDataRow<string, string>(l.Subject, l.Listed))];

    public static TheoryData<string, string> Values => [.. Lines("values.txt").Select(l => new TheoryDataRow<string, string>(l.Subject, l.Listed))];

    [Theory, MemberData(nameof(Fields))]
    public void Every_field_of_the_specification_is_in_the_schema(string subject, string paths)
    {
        var section = subject.EndsWith(".status", StringComparison.Ordinal) ? "status" : "spec";
        var row = KindTable.Catalog[subject.Split('.')[0]];
        var missing = paths.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(p => row.Fields.At($"{section}.{p}") is null or { Type: SchemaType.Any });
        Assert.Empty(missing);
    }

    [Theory, MemberData(nameof(Values))]
    public void Closed_lists_of_values_are_those_of_the_specification(string subject, string values)
    {
        var (kind, path) = (subject.Split(' ')[0], subject.Split(' ')[1]);
        var node = KindTable.Catalog[kind].Fields.At(path)!;
        Assert.Equal(values.Split('|').Order(), (node.Items ?? node.Values ?? node).Enum?.Order());
    }

    [Fact]
    public void Kinds_with_fields_of_their_own_keep_no_unknown_ones()
    {
        var listed = Lines("fields.txt").Select(l => l.Subject.Split('.')[0]).ToHashSet();
        var loose = KindTable.All.Where(k => k.IsProduct && k.PreserveUnknownSpec).Select(k => k.Kind).ToList();
        Assert.Empty(loose.Intersect(listed));
        Assert.Equal(KindTable.All.Count(k => k.IsProduct), listed.Count + loose.Count);
    }

    [Fact]
    public void Server_made_kinds_are_those_of_the_specification()
    {
        string[] expected =
        [
            "AgentDispatchAttempt", "AgentSession", "AgentContextBundle", "AgentArtifact", "AgentReviewArtifact", "AgentApproval", "AgentCapabilityRequirement",
            "AgentTriggerExecution", "AuditEvent", "WebhookDelivery", "WorkItemSessionLink", "WorkItemWorkspaceLink", "AgentSessionTranscript",
        ];
        Assert.Equal(expected.Order(), KindTable.All.Where(k => k.ServerMade).Select(k => k.Kind).Order());
    }

    [Fact]
    public void Immutability_is_that_of_the_specification()
    {
        Assert.Equal(
            ["AgentArtifact", "AgentContextBundle", "AgentMemorySnapshot", "AuditEvent"],
            KindTable.All.Where(k => k.Mutability is SpecMutability.Whole).Select(k => k.Kind).Order());
        Assert.All(KindTable.All.Where(k => k.IsExecution && k.Storage != "postgres-projection"), k => Assert.NotEqual(SpecMutability.Mutable, k.Mutability));
        Assert.All(KindTable.All.Where(k => k.IsProduct && !k.IsExecution), k => Assert.Equal(SpecMutability.Mutable, k.Mutability));
        Assert.Equal(
            ["runtimeIdentity", "runnerIdentity", "permissionSnapshot", "permissionSnapshotDigest", "agentMuxRunId", "agentMuxSessionId"],
            KindTable.Catalog["AgentDispatchAttempt"].WriteOnceStatus);
        Assert.Equal(["boundSubjectUid", "boundSecretUid"], KindTable.Catalog["AgentSecretGrant"].WriteOnceStatus);
    }

    [Fact]
    public void Generated_names_have_the_prefixes_of_the_specification()
    {
        string[] expected =
        [
            "AgentApproval approval-", "AgentArtifact art-", "AgentContextBundle acb-", "AgentDispatchAttempt ada-", "AgentDispatchRun adr-", "AgentSession ses-",
            "AgentTriggerExecution ate-", "AgentWorkspace aws-", "AuditEvent audit-", "Comment comment-", "Job job-", "Pipeline pipeline-", "Review review-", "WebhookDelivery delivery-",
        ];
        Assert.Equal(expected, KindTable.All.Where(k => k.NamePrefix is not null).Select(k => $"{k.Kind} {k.NamePrefix}").Order(StringComparer.Ordinal));
        Assert.Equal(["Issue", "PullRequest"], KindTable.All.Where(k => k.Numbered).Select(k => k.Kind).Order());
    }

    private static IEnumerable<(string Subject, string Listed)> Lines(string file) =>
        File.ReadLines(Path.Combine(Repository.Root, "Krate.Tests/Kinds", file))
            .Where(l => l.Length > 0 && !l.StartsWith('#'))
            .Select(l => (l[..l.IndexOf(':', StringComparison.Ordinal)], l[(l.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()));
}
