using Krate.Core.Gateway;
using Krate.Core.Git;
using Krate.Core.Kinds;
using Krate.Core.Kinds.Demo;
using Krate.Core.Repositories;
using Krate.Core.Resources;
using Krate.Core.Runs;
using Krate.Tests.ControlPlane;
using Xunit;

namespace Krate.Tests.Kinds.Demo;

public sealed class DemoDataTests
{
    private const string Ns = "krate-org-acme";

    [Fact]
    public async Task The_demo_organization_is_made_once_and_shows_stacks_with_reasons_and_a_repository_with_history()
    {
        await using var world = await ControlPlaneWorld.StartAsync();
        await DemoData.EnsureAsync(world.Gateway, RepositoryOf(world), ControlPlaneWorld.Ct);

        foreach (var (stack, reason) in ((string, string)[])
        [
            ("claude-code-ci-repair", "SecretMissing"), ("claude-code-review", "McpProbeFailed"), ("codex-review", "McpServerMissing"),
            ("issue-triage", "NotEvaluated"), ("release-writer", "MissingServiceAccount"), ("schema-keeper", "LabelNotReviewed"),
        ])
            await world.UntilAsync("AgentStack", Ns, stack, s => s!.FindCondition("Ready")?.Reason == reason);
        await world.UntilAsync("AgentRoleBinding", Ns, "ci-repair-payments-api", b => b!.FindCondition("Ready")?.Status == "True");
        await world.UntilAsync("AgentSecretGrant", Ns, "ci-repair-anthropic", g => g!.FindCondition("Ready")?.Reason == "SecretMissing");
        foreach (var skill in (string[])["focused-test-selection", "go-race-hunter", "review-checklist"])
            await world.UntilAsync("AgentSkill", Ns, skill, s => s!.FindCondition("Ready")?.Status == "True");
        Assert.Equal(["mira", "oskar"], (await world.FindAsync("Team", Ns, "owners"))!.Body.Texts("spec.maintainers"));

        var git = new GitRepository(world.Service<RepositoryFiles>().DirectoryOf("acme", "payments-api"));
        Assert.Equal(
            ["refs/heads/jonas/settlement-backoff", "refs/heads/lumi/ledger-cursor", "refs/heads/main", "refs/tags/v1.0.0", "refs/tags/v1.1.0"],
            (await git.RunOrThrowAsync(["for-each-ref", "--format=%(refname)", "refs/heads", "refs/tags"], ControlPlaneWorld.Ct)).Lines);
        Assert.Equal("", (await git.RunOrThrowAsync(["fsck", "--strict"], ControlPlaneWorld.Ct)).Text);
        var head = (await git.RunOrThrowAsync(["rev-parse", "main"], ControlPlaneWorld.Ct)).Lines.Single();
        Assert.Equal(head, (await world.FindAsync("Repository", Ns, "payments-api"))!.Body.Text("status.head"));

        var run = (await world.FindAsync("Pipeline", Ns, "pipeline-01jv0000000000000000000001"))!;
        Assert.Equal(("failed", "openapi"), (run.Body.Text("status.phase"), run.Body.Text("status.failedStep")));
        Assert.Contains("payments.lock.yaml", run.Body.Text("status.failureSignature"), StringComparison.Ordinal);
        var job = (await world.FindAsync("Job", Ns, "job-01jv0000000000000000000002"))!;
        var log = await (await world.Service<JobLogs>().OpenAsync(job, ControlPlaneWorld.Ct))!.ReadLinesAsync(0, 10, ControlPlaneWorld.Ct);
        Assert.StartsWith("fatal: ", log[(int)job.Body.Whole("status.failureLine")! - 1].Text, StringComparison.Ordinal);

        await world.DeleteAsync("AgentStack", Ns, "issue-triage");
        await DemoData.EnsureAsync(world.Gateway, RepositoryOf(world), ControlPlaneWorld.Ct);
        Assert.Null(await world.FindAsync("AgentStack", Ns, "issue-triage"));
    }

    private static DemoRepository RepositoryOf(ControlPlaneWorld world) => new(world.Service<RepositoryFiles>(), world.Service<RefRecorder>());

    [Fact]
    public void Every_demo_document_fits_its_schema_and_has_no_unknown_field()
    {
        foreach (var document in DemoData.Documents())
        {
            var kind = KindTable.Catalog[document.Text("kind")!];
            var name = $"{kind.Kind} {document.Text("metadata.name")}";
            Assert.Empty(SchemaValidator.Prune(kind, document.Copy()).Select(f => $"{name}: unknown {f}"));
            var complete = document.Copy();
            if (kind.IsProduct) complete.Child("spec")["organizationRef"] = "acme";
            Assert.Empty(SchemaValidator.Validate(kind, complete).Select(e => $"{name}: {e}").Concat(kind.Validate?.Invoke(complete).Select(e => $"{name}: {e}") ?? []));
        }
    }
}
