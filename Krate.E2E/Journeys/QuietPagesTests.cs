using Krate.E2E.Hosting;
using Xunit;

namespace Krate.E2E.Journeys;

/// <summary>What open pages cost: one load each, and nothing while nothing changes.</summary>
public sealed class QuietPagesTests(AppFixture app) : Journey(app)
{
    private const string List = "/orgs/acme/agents/stacks";
    private const string Detail = "/orgs/acme/resources/agentstacks/claude-code-ci-repair";

    /// <summary>The time that is looked at, not a wait for something; KRATE_IDLE_SECONDS looks longer.</summary>
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(int.Parse(Environment.GetEnvironmentVariable("KRATE_IDLE_SECONDS") ?? "10", System.Globalization.CultureInfo.InvariantCulture));

    [Fact]
    public async Task Open_pages_send_no_SQL_and_no_request_while_nothing_changes()
    {
        var requests = new List<string>();
        var pages = new[] { await SignedInAsync(List), await SignedInAsync(Detail), await SignedInAsync("/orgs/acme") };
        using var statements = new StatementCounter(Krate);
        var before = await statements.AtRestAsync();
        foreach (var page in pages) page.Request += (_, r) => requests.Add(r.Url);

        await Task.Delay(Idle, Ct);

        Assert.Empty(requests);
        Assert.Equal(before, await statements.ReadAsync());
    }

    [Fact]
    public async Task A_page_with_its_circuit_costs_the_SQL_of_its_prerendering_alone()
    {
        var page = await SignedInAsync();
        using var statements = new StatementCounter(Krate);
        var costs = new List<(string Path, long Prerendering, long WithCircuit)>();
        foreach (var path in new[] { List, Detail, Detail + "?tab=events", Detail + "?tab=yaml", "/orgs/acme/resources/secrets", "/orgs/acme", "/orgs" })
        {
            var before = await statements.AtRestAsync();
            await page.APIRequest.GetAsync(path);
            var prerendered = await statements.AtRestAsync();
            await GoAsync(page, path);
            costs.Add((path, prerendered - before, await statements.AtRestAsync() - prerendered));
        }

        Assert.All(costs, c => Assert.True(c.Prerendering > 0 && c.WithCircuit == c.Prerendering, $"{c.Path}: {c.Prerendering} statements prerendered, {c.WithCircuit} with its circuit"));
    }
}
