using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Web.Features.Code;
using Krate.Web.Features.Work;
using Xunit;

namespace Krate.Tests.Work;

/// <summary>What people type: filters, and words that name something.</summary>
public sealed class WorkWordsTests
{
    [Theory]
    [InlineData("", "open", "", null, null, "")]
    [InlineData("is:closed label:bug label:\"money path\" author:mira overflow", "closed", "bug|money path", "mira", null, "overflow")]
    [InlineData("assignee:jonas state:all \"two words\"", "all", "", null, "jonas", "two words")]
    [InlineData("state:unheard-of http://x.y", "open", "", null, null, "state:unheard-of|http://x.y")]
    public void A_filter_is_read_as_it_is_typed_and_reads_the_same_when_written(string text, string state, string labels, string? author, string? assignee, string words)
    {
        var query = WorkQuery.Parse(text);
        Assert.Equal((state, labels, author, assignee, words), (query.State, string.Join('|', query.Labels), query.Author, query.Assignee, string.Join('|', query.Words)));
        Assert.Equal(query.ToString(), WorkQuery.Parse(query.ToString()).ToString());
    }

    [Theory]
    [InlineData("""{"kinds":["Issue"]}""", true)]
    [InlineData("""{"kinds":["Issue","PullRequest"],"repository":"shop","labels":{"krate.a5c.ai/repository":"shop"}}""", true)]
    [InlineData("""{"kinds":["PullRequest"]}""", false)]
    [InlineData("""{"labels":{}}""", false)]
    [InlineData("""{"kinds":["Issue"],"repository":"other"}""", false)]
    [InlineData("""{"kinds":["Issue"],"labels":{"krate.a5c.ai/repository":"other"}}""", false)]
    [InlineData("""{"kinds":["Issue"],"labels":{"krate.a5c.ai/repository":"shop","team":"red"}}""", false)]
    public void A_selector_is_a_view_of_a_list_when_it_selects_just_that(string spec, bool isAbout)
    {
        var selector = new Resource(KindTable.Catalog["Selector"], KrateJson.ParseObject($$"""{"metadata":{"name":"s"},"spec":{{spec}}}"""));
        Assert.Equal(isAbout, SavedView.IsAbout(selector, "Issue", "shop"));
    }

    [Theory]
    [InlineData("All the bugs!", "shop-issues-all-the-bugs")]
    [InlineData("  Größe  ", "shop-issues-gr-e")]
    [InlineData("???", "shop-issues")]
    public void The_name_of_a_view_is_made_of_its_title(string title, string name) => Assert.Equal(name, SavedView.NameOf("shop", "issues", title));

    [Theory]
    [InlineData("see #12.", "#12=/orgs/acme/repositories/shop/issues/12")]
    [InlineData("shop-2#7 and (#1)", "shop-2#7=/orgs/acme/repositories/shop-2/issues/7 #1=/orgs/acme/repositories/shop/issues/1")]
    [InlineData("fixed in ed1899a41505, really", "ed1899a41505=/orgs/acme/repositories/shop/commit/ed1899a41505")]
    [InlineData("a#1b color#fff #0 #1234567890 deadbeef 1234567 x/#3", "")]
    public void Words_that_name_an_issue_or_a_commit_lead_there(string text, string links) =>
        Assert.Equal(links, string.Join(' ', new WorkLinks("acme", new CodeUrls("acme", "shop"), "main").References(text).Select(r => $"{text.Substring(r.Start, r.Length)}={r.Address}")));
}
