using Bunit;
using Krate.Core.Resources;
using Krate.Web.Components;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Krate.Tests.Pages;

public sealed class ConditionListTests : BunitContext
{
    [Fact]
    public void State_is_icon_and_word_and_what_is_not_evaluated_stays_calm()
    {
        Services.AddSingleton(TimeProvider.System);
        var list = Render<ConditionList>(p => p.Add(c => c.Generation, 2).Add(c => c.Conditions,
        [
            new("RolesAdmitted", Condition.True, "Admitted", "All roles are there.", 2, "2026-01-01T00:00:00Z"),
            new("SecretsAdmitted", Condition.False, "MissingSecretGrant", "No grant for dsn.", 2, "2026-01-01T00:00:00Z"),
            new("McpHealthy", Condition.Unknown, "NotEvaluated", "Not evaluated by this version.", 1, "2026-01-01T00:00:00Z"),
            new("NativeBindingDrifted", Condition.True, "Drifted", "One verb too many.", 2, "2026-01-01T00:00:00Z"),
        ]));

        Assert.Equal(["True:ok", "False:bad", "Unknown:idle", "True:warn"], list.FindAll("li").Select(li => $"{li.Children[2].TextContent}:{li.Children[2].ClassName!["k-s-".Length..]}"));
        Assert.All(list.FindAll("li"), li => Assert.NotNull(li.QuerySelector("svg")));
        Assert.Contains("seen at generation 1", list.Find("[data-condition=McpHealthy]").TextContent, StringComparison.Ordinal);
        Assert.Contains("No grant for dsn.", list.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_conditions_it_says_so() =>
        Assert.Contains("No controller has reported", Render<ConditionList>(p => p.Add(c => c.Conditions, [])).Markup, StringComparison.Ordinal);
}
