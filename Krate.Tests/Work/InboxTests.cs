using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Web.Features;
using Krate.Web.Features.Inbox;
using Xunit;

namespace Krate.Tests.Work;

/// <summary>Who is called, and what waits for them.</summary>
public sealed class InboxTests
{
    private static readonly Place Acme = new("acme", "Acme", "krate-org-acme");

    [Theory]
    [InlineData("@mira, and (@lumi.k): look", "mira lumi.k")]
    [InlineData("@mira @mira", "mira")]
    [InlineData("mail mira@acme.example, path a/@b, @@c, .@d", "")]
    [InlineData("`@mira` and\n```\n@lumi\n```\n@max", "max")]
    [InlineData("```\n@lumi never ends", "")]
    [InlineData("@oidc:mira. @a-b_c: @-x", "oidc:mira a-b_c")]
    public void An_at_sign_calls_a_person_but_not_in_code_or_in_a_mail_address(string text, string names) => Assert.Equal(names, string.Join(' ', Mentions.In(text)));

    [Fact]
    public void No_text_calls_more_than_fifty() => Assert.Equal(50, Mentions.In(string.Join(' ', Enumerable.Range(0, 200).Select(n => $"@user{n}"))).Count);

    [Fact]
    public void A_review_waits_until_something_was_said_about_this_head()
    {
        var pull = Make("PullRequest", "shop-7", """{"number":7,"title":"Sell","author":"jonas"}""", """{"phase":"Open","headSha":"b"}""");
        var older = Make("Review", "r1", """{"pullRequest":"shop-7","headSha":"a","decision":"approved"}""");
        var now = Make("Review", "r2", """{"pullRequest":"shop-7","headSha":"b","decision":"commented"}""");

        var waiting = Assert.Single(InboxItem.Of("mira", Acme, [pull], [older], [], []));
        Assert.Equal((InboxReason.Review, "Review requested on #7", "Sell", "/orgs/acme/repositories/shop/pulls/7", "b"), (waiting.Reason, waiting.Title, waiting.Detail, waiting.Url, waiting.Version));
        Assert.Empty(InboxItem.Of("mira", Acme, [pull], [older, now], [], []));
        Assert.Empty(InboxItem.Of("mira", Acme, [Make("PullRequest", "shop-7", """{"number":7,"draft":true}""", """{"phase":"Open","headSha":"b"}""")], [], [], []));
    }

    [Fact]
    public void A_mention_leads_to_where_it_was_said_and_nobody_calls_themselves()
    {
        var comment = Make("Comment", "comment-1", """{"targetRef":{"kind":"Issue","name":"shop-3"},"author":"lumi","body":"@mira\nsee this"}""");
        var own = Make("Comment", "comment-2", """{"targetRef":{"kind":"Issue","name":"shop-3"},"author":"mira","body":"@mira"}""");
        var named = Make("Comment", "comment-3", """{"targetRef":{"kind":"PullRequest","name":"by-hand"},"author":"lumi","body":"@mira"}""");
        var closed = Make("Issue", "shop-4", """{"number":4,"title":"Old","author":"lumi"}""", """{"phase":"Closed"}""");

        var items = InboxItem.Of("mira", Acme, [], [], [comment, own, named, closed], []);

        Assert.Equal(
            [("lumi mentioned you on issue #3", "@mira see this", "/orgs/acme/repositories/shop/issues/3#comment-1"), ("lumi mentioned you on pull request by-hand", "@mira", "/orgs/acme/resources/pullrequests/by-hand")],
            items.Select(i => (i.Title, i.Detail, i.Url)));
    }

    [Fact]
    public void A_failed_run_leads_to_its_page_and_says_why_it_failed()
    {
        var run = Make("Pipeline", "pipeline-1", """{"repository":"shop","ref":"refs/heads/sell","workflow":"verify"}""", """{"phase":"failed","startedBy":"mira","failureSignature":"sell_test.go: want 5"}""");
        var item = Assert.Single(InboxItem.Of("mira", Acme, [], [], [], [run]));
        Assert.Equal((InboxReason.FailedRun, "verify failed on sell", "sell_test.go: want 5", "/orgs/acme/repositories/shop/runs/pipeline-1"), (item.Reason, item.Title, item.Detail, item.Url));
    }

    private static Resource Make(string kind, string name, string spec, string status = "{}") => new(KindTable.Catalog[kind], new JsonObject
    {
        ["metadata"] = new JsonObject { ["name"] = name, ["uid"] = name, ["generation"] = 1L, ["labels"] = new JsonObject { [WellKnown.RepositoryLabel] = "shop" } },
        ["spec"] = KrateJson.ParseObject(spec).Copy(), ["status"] = KrateJson.ParseObject(status).Copy(),
    });
}
