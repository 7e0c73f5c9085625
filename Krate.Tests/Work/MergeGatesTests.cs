using Krate.Core.Kinds;
using Krate.Core.Kinds.Work;
using Krate.Core.Resources;
using Xunit;

namespace Krate.Tests.Work;

/// <summary>What keeps a pull request from being merged, as a table.</summary>
public sealed class MergeGatesTests
{
    private const string Head = "1111111111111111111111111111111111111111";

    [Theory]
    [InlineData("{}", 0, "", "", "conflicts Waiting")]
    [InlineData("{mergeable: true}", 0, "", "", "conflicts Met")]
    [InlineData("{mergeable: false}", 0, "", "", "conflicts Missing")]
    [InlineData("{mergeable: true}", 1, "", "", "conflicts Met, approvals Missing")]
    [InlineData("{mergeable: true}", 1, "", "mira:approved:now", "conflicts Met, approvals Met")]
    [InlineData("{mergeable: true}", 1, "", "mira:approved:before", "conflicts Met, approvals Missing")]
    [InlineData("{mergeable: true}", 1, "", "author:approved:now", "conflicts Met, approvals Missing")]
    [InlineData("{mergeable: true}", 1, "", "gone:approved:now", "conflicts Met, approvals Missing")]
    [InlineData("{mergeable: true}", 2, "", "mira:approved:now lumi:approved:now", "conflicts Met, approvals Met")]
    [InlineData("{mergeable: true}", 2, "", "mira:approved:now mira:approved:now", "conflicts Met, approvals Missing")]
    [InlineData("{mergeable: true}", 0, "", "mira:changes-requested:before", "conflicts Met, changes Missing")]
    [InlineData("{mergeable: true}", 1, "", "mira:changes-requested:now mira:approved:now", "conflicts Met, approvals Met")]
    [InlineData("{mergeable: true}", 1, "", "mira:approved:now mira:commented:now", "conflicts Met, approvals Met")]
    [InlineData("{mergeable: true}", 0, "verify", "", "conflicts Met, check verify Missing")]
    [InlineData("{mergeable: true, checks: [{name: verify, phase: running}]}", 0, "verify", "", "conflicts Met, check verify Waiting")]
    [InlineData("{mergeable: true, checks: [{name: verify, phase: failed}, {name: verify, phase: succeeded}]}", 0, "verify", "", "conflicts Met, check verify Met")]
    public void Every_demand_stands_as_the_reviews_and_checks_say(string status, int approvals, string checks, string reviews, string gates)
    {
        var pull = Pull(status);
        var verdicts = ReviewTally.Of(pull, reviews.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Review), user => user != "gone");
        Assert.Equal(gates, string.Join(", ", MergeGates.Of(pull, verdicts, new(approvals, checks.Split(' ', StringSplitOptions.RemoveEmptyEntries))).Select(g => $"{g.Name} {g.State}")));
    }

    [Fact]
    public void A_draft_is_not_merged() =>
        Assert.Equal(GateState.Missing, MergeGates.Of(Pull("{mergeable: true}", "draft: true"), [], new(0, [])).Single(g => g.Name == "draft").State);

    [Theory]
    [InlineData("Closes #12, fixes #3 and resolved: #4", "12 3 4")]
    [InlineData("closes#1 discloses #2 see #5 fix #6x", "")]
    [InlineData("FIXED #7\nfix #7", "7")]
    public void Words_that_close_issues_are_read_as_people_write_them(string text, string numbers) => Assert.Equal(numbers, string.Join(' ', ClosingWords.In(text)));

    private static Resource Pull(string status, string spec = "")
    {
        var body = Yaml.ParseObject($$"""
            metadata: {name: shop-1, namespace: krate-org-acme}
            spec: {author: author, targetRef: main{{(spec.Length > 0 ? ", " + spec : "")}}}
            status: {{status}}
            """);
        body.Child("status")["headSha"] = Head;
        return new(KindTable.Catalog["PullRequest"], body);
    }

    private static Resource Review(string text, int index)
    {
        var parts = text.Split(':');
        return new(KindTable.Catalog["Review"], Yaml.ParseObject($$"""
            metadata: {name: review-{{index}}, namespace: krate-org-acme, creationTimestamp: "2026-05-01T12:00:0{{index}}Z"}
            spec: {author: {{parts[0]}}, decision: {{parts[1]}}, headSha: "{{(parts[2] == "now" ? Head : new string('2', 40))}}"}
            """));
    }
}
