using Krate.Core.Kinds;
using Krate.Core.Kinds.Dispatch;
using Krate.Core.Resources;
using Xunit;

namespace Krate.Tests.Dispatch;

/// <summary>Whose turn it is.</summary>
public sealed class DispatchQueueTests
{
    [Fact]
    public void Repositories_take_turns_and_within_one_the_oldest_is_first()
    {
        var order = Order([], [Run("a1", "a", 1), Run("a2", "a", 2), Run("a3", "a", 3), Run("b1", "b", 4), Run("c1", "c", 5)], 4);
        Assert.Equal(["a1", "b1", "c1", "a2", "a3!"], order);
    }

    [Fact]
    public void A_repository_with_runs_under_way_waits_behind_one_without() =>
        Assert.Equal(["b1", "a2!"], Order([Run("a1", "a", 1)], [Run("a2", "a", 2), Run("b1", "b", 3)], 2));

    [Fact]
    public void A_run_over_a_limit_of_its_own_lets_others_pass_and_says_which()
    {
        var active = Run("a1", "a", 1, "s");
        var places = DispatchQueue.Order([active], [Run("a2", "a", 2, "s"), Run("a3", "a", 3, "t")], new(8), Limits);
        Assert.Equal(["a2!", "a3"], places.Select(Name));
        Assert.Equal("It waits: 1 run at once is the limit of stack s.", places[0].Waits);

        static IEnumerable<RunLimit> Limits(Resource run) =>
            run.Body.Text("spec.agentStack") is { } stack ? [new($"stack {stack}", 1, other => other.Body.Text("spec.agentStack") == stack)] : [];
    }

    private static IEnumerable<string> Order(Resource[] active, Resource[] queued, int slots) => DispatchQueue.Order(active, queued.Reverse(), new(slots), _ => []).Select(Name);

    private static string Name(QueuePlace place) => place.Run.Name + (place.Waits is null ? "" : "!");

    private static Resource Run(string name, string repository, long order, string? stack = null) => new(
        KindTable.Catalog["AgentDispatchRun"],
        KrateJson.ParseObject($$"""{"metadata":{"name":"{{name}}","namespace":"n"},"spec":{"repository":"{{repository}}"{{(stack is null ? "" : $",\"agentStack\":\"{stack}\"")}} },"status":{"order":{{order}} } }"""));
}
