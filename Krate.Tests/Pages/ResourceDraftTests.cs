using System.Text.Json.Nodes;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Web.Features.Resources;
using Xunit;

namespace Krate.Tests.Pages;

/// <summary>What one types into a form is neither lost nor put over what somebody else has saved meanwhile.</summary>
public sealed class ResourceDraftTests
{
    private static readonly KindDefinition Kind = KindTable.Catalog["AgentStack"];

    [Fact]
    public void A_save_sends_only_what_was_changed_onto_the_version_that_was_seen()
    {
        var draft = Draft();
        draft.Set("model", "opus");
        draft.Set("prompt.system", "");
        draft.Choose("mcpServerRefs", "search", isChosen: true);
        Assert.Equal("""{"spec":{"mcpServerRefs":["files","search"],"model":"opus","prompt":null},"metadata":{"resourceVersion":"7"}}""", draft.Change.Document!.ToJsonString());
        Assert.Equal(("patch", 3), (draft.Change.Verb, draft.Changed.Count));
    }

    [Fact]
    public void What_is_changed_back_is_no_change()
    {
        var draft = Draft();
        draft.Set("model", "opus");
        draft.Set("model", "sonnet");
        draft.Choose("mcpServerRefs", "files", isChosen: false);
        draft.Choose("mcpServerRefs", "files", isChosen: true);
        Assert.False(draft.IsChanged);
    }

    [Fact]
    public void Somebody_elses_change_of_another_field_is_followed_and_of_the_same_one_is_a_conflict()
    {
        var draft = Draft();
        draft.Set("model", "opus");
        draft.Follow(Stack("8", s => s["toolProfileRef"] = "other"));
        Assert.Equal(("other", "opus", 0), (draft.Text("toolProfileRef"), draft.Text("model"), draft.Conflicts.Count));

        draft.Follow(Stack("9", s => s["model"] = "haiku"));
        Assert.Equal(["model"], draft.Conflicts);
        Assert.Equal("opus", draft.Text("model"));
        draft.KeepMine("model");
        Assert.Equal(("opus", 0), (draft.Change.Document!.Text("spec.model"), draft.Conflicts.Count));
        draft.Follow(Stack("10", s => s["model"] = "another"));
        draft.TakeTheirs("model");
        Assert.Equal(("another", false), (draft.Text("model"), draft.IsChanged));
    }

    [Fact]
    public void The_same_change_by_somebody_else_ends_ones_own()
    {
        var draft = Draft();
        draft.Set("model", "opus");
        draft.Follow(Stack("8", s => s["model"] = "opus"));
        Assert.False(draft.IsChanged);
    }

    [Fact]
    public void YAML_and_form_say_the_same()
    {
        var draft = Draft();
        draft.Take(draft.Yaml.Replace("model: sonnet", "model: opus", StringComparison.Ordinal).Replace("  toolProfileRef: tools\n", "", StringComparison.Ordinal));
        Assert.Equal(("opus", null), (draft.Text("model"), draft.Text("toolProfileRef")));
        Assert.Equal("""{"model":"opus","toolProfileRef":null}""", draft.Change.Document!["spec"]!.ToJsonString());
        Assert.Contains("model: opus", draft.Yaml, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("kind: AgentSkill\nspec: {}\n", "kind: ")]
    [InlineData("kind: AgentStack\nmetadata: {name: other}\nspec: {}\n", "metadata.name: ")]
    [InlineData("kind: AgentStack\nmetadata: {name: stack}\n", "spec: ")]
    [InlineData("kind: [", "")]
    public void YAML_that_is_no_such_stack_is_refused_in_words_and_changes_nothing(string yaml, string beginning)
    {
        var draft = Draft();
        draft.Set("model", "opus");
        Assert.StartsWith(beginning, Assert.Throws<ApiException>(() => draft.Take(yaml)).Message, StringComparison.Ordinal);
        Assert.Equal(["model"], draft.Changed);
    }

    [Fact]
    public void A_new_stack_is_created_as_it_stands()
    {
        var draft = new ResourceDraft(Kind, "krate-org-acme", "acme", null) { Name = "fresh" };
        draft.Set("runtimeIdentity.serviceAccountRef", "agent");
        Assert.Equal(("create", "fresh", "agent", "acme"), (draft.Change.Verb, draft.Change.Name, draft.Change.Document!.Text("spec.runtimeIdentity.serviceAccountRef"), draft.Change.Document!.Text("spec.organizationRef")));
    }

    private static ResourceDraft Draft() => new(Kind, "krate-org-acme", "acme", Stack("7"));

    private static Resource Stack(string version, Action<JsonObject>? change = null)
    {
        var body = KrateJson.ParseObject("""{"metadata":{"name":"stack","namespace":"krate-org-acme"},"spec":{"organizationRef":"acme","model":"sonnet","prompt":{"system":"Be brief"},"toolProfileRef":"tools","mcpServerRefs":["files"]}}""").Copy();
        body.Child("metadata")["resourceVersion"] = version;
        change?.Invoke(body.Child("spec"));
        return new Resource(Kind, body);
    }
}
