using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Xunit;

namespace Krate.Tests.Gateway;

public sealed class AccessReviewsTests
{
    private static readonly Actor Mira = new("mira", ["devs"]) { Uid = "u-1" };

    private readonly RbacWorld world = RbacWorld.Started()
        .Role("", "r", "get,list krate.a5c.ai issues", "get core pods/log a", "get /metrics").Bind("acme", "b", "ClusterRole/r", "User/mira").Bind("", "c", "ClusterRole/r", "Group/ops");

    [Theory]
    [InlineData("""{"resourceAttributes":{"verb":"get","group":"krate.a5c.ai","resource":"issues","namespace":"acme"}}""", true)]
    [InlineData("""{"resourceAttributes":{"verb":"get","group":"krate.a5c.ai","resource":"issues","namespace":"beta"}}""", false)]
    [InlineData("""{"resourceAttributes":{"verb":"get","resource":"pods","subresource":"log","name":"a","namespace":"acme"}}""", true)]
    [InlineData("""{"resourceAttributes":{"verb":"get","resource":"pods","subresource":"log","namespace":"acme"}}""", false)]
    [InlineData("""{"nonResourceAttributes":{"verb":"get","path":"/metrics"}}""", false)]
    public void A_self_review_answers_for_the_asker(string spec, bool allowed)
    {
        var answer = Ask("SelfSubjectAccessReview", spec);
        Assert.Equal(allowed, (bool)answer["status"]!["allowed"]!);
        Assert.Equal(("authorization.k8s.io/v1", "SelfSubjectAccessReview"), (answer.Text("apiVersion"), answer.Text("kind")));
        Assert.Equal(spec, answer["spec"]!.ToJsonString());
        Assert.Contains(allowed ? "allowed by RoleBinding \"b/acme\"" : "User \"mira\" cannot get", answer.Text("status.reason"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_subject_review_answers_for_the_user_and_groups_it_names()
    {
        const string Metrics = "\"nonResourceAttributes\":{\"verb\":\"get\",\"path\":\"/metrics\"}";
        Assert.True((bool)Ask("SubjectAccessReview", $$"""{"user":"noor","groups":["ops"],{{Metrics}}}""")["status"]!["allowed"]!);
        Assert.False((bool)Ask("SubjectAccessReview", $$"""{"user":"mira",{{Metrics}}}""")["status"]!["allowed"]!);
        Assert.True((bool)Ask("LocalSubjectAccessReview", """{"user":"mira","resourceAttributes":{"verb":"list","group":"krate.a5c.ai","resource":"issues","namespace":"acme"}}""", "acme")["status"]!["allowed"]!);
    }

    [Theory]
    [InlineData("SelfSubjectAccessReview", "{}", "spec.resourceAttributes")]
    [InlineData("SelfSubjectAccessReview", """{"resourceAttributes":{},"nonResourceAttributes":{}}""", "spec.resourceAttributes")]
    [InlineData("SubjectAccessReview", """{"resourceAttributes":{"verb":"get"}}""", "spec.user")]
    [InlineData("LocalSubjectAccessReview", """{"user":"x","resourceAttributes":{"namespace":"beta"}}""", "spec.resourceAttributes.namespace")]
    [InlineData("LocalSubjectAccessReview", """{"user":"x","nonResourceAttributes":{"path":"/"}}""", "spec.nonResourceAttributes")]
    [InlineData("SelfSubjectRulesReview", "{}", "spec.namespace")]
    public void A_review_that_asks_nothing_or_too_much_is_refused_by_field(string kind, string spec, string field)
    {
        var refused = Assert.Throws<ApiException>(() => Ask(kind, spec, "acme"));
        Assert.Equal((422, field), (refused.Code, refused.Causes[0].Field));
    }

    [Fact]
    public void A_rules_review_lists_each_rule_once_and_who_am_I_says_user_uid_and_groups()
    {
        world.Bind("acme", "again", "ClusterRole/r", "Group/devs");
        var status = Ask("SelfSubjectRulesReview", """{"namespace":"acme"}""")["status"]!;
        Assert.Equal(
            """[{"apiGroups":["krate.a5c.ai"],"resources":["issues"],"verbs":["get","list"]},{"apiGroups":[""],"resources":["pods/log"],"resourceNames":["a"],"verbs":["get"]}]""",
            status["resourceRules"]!.ToJsonString());
        Assert.Equal("""[{"nonResourceURLs":["/metrics"],"verbs":["get"]}]""", status["nonResourceRules"]!.ToJsonString());
        Assert.False((bool)status["incomplete"]!);
        Assert.Equal("""{"username":"mira","groups":["devs"],"uid":"u-1"}""", Ask("SelfSubjectReview", "{}")["status"]!["userInfo"]!.ToJsonString());
    }

    private JsonObject Ask(string kind, string spec, string ns = "") =>
        AccessReviews.Answer(KindTable.Catalog[kind], new JsonObject { ["spec"] = JsonNode.Parse(spec) }, ns, Mira, world.Authorizer);
}
