using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Kinds.Demo;
using Krate.Core.Resources;
using Krate.Tests.ControlPlane;
using Xunit;

namespace Krate.Tests.Kinds.Demo;

public sealed class DemoDataTests
{
    private const string Ns = "krate-org-acme";

    [Fact]
    public async Task The_demo_organization_is_made_once_and_shows_stacks_with_reasons()
    {
        await using var world = await ControlPlaneWorld.StartAsync();
        await DemoData.EnsureAsync(world.Gateway, ControlPlaneWorld.Ct);

        foreach (var (stack, reason) in ((string, string)[])
        [
            ("claude-code-ci-repair", "SecretMissing"), ("claude-code-review", "NotEvaluated"), ("codex-review", "McpServerMissing"),
            ("issue-triage", "NotEvaluated"), ("release-writer", "MissingServiceAccount"), ("schema-keeper", "LabelNotReviewed"),
        ])
            await world.UntilAsync("AgentStack", Ns, stack, s => s!.FindCondition("Ready")?.Reason == reason);
        Assert.Equal(["mira", "oskar"], (await world.FindAsync("Team", Ns, "owners"))!.Body.Texts("spec.maintainers"));

        await world.DeleteAsync("AgentStack", Ns, "issue-triage");
        await DemoData.EnsureAsync(world.Gateway, ControlPlaneWorld.Ct);
        Assert.Null(await world.FindAsync("AgentStack", Ns, "issue-triage"));
    }

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
