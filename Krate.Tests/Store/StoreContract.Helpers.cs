using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Core.Store;

namespace Krate.Tests.Store;

public abstract partial class StoreContract
{
    private static JsonObject Event(string type, string actor = "mira", string ns = Ns) => new()
    {
        ["apiVersion"] = WellKnown.GroupVersion,
        ["kind"] = "AuditEvent",
        ["metadata"] = new JsonObject { ["namespace"] = ns },
        ["spec"] = new JsonObject
        {
            ["type"] = type,
            ["actor"] = new JsonObject { ["kind"] = "User", ["name"] = actor },
            ["metadata"] = new JsonObject { ["correlationId"] = $"corr-{type}" },
        },
    };

    private async Task<IEnumerable<string>> NamesAsync(string labels = "", string fields = "", string? ns = Ns) =>
        (await Store.ListAsync(new ListQuery(Stack, ns, Selector.Parse(labels), Selector.Parse(fields)), Ct)).Items.Select(r => r.Name);

    /// <summary>The next <paramref name="count"/> changes.</summary>
    private static async Task<List<Change>> TakeAsync(IAsyncEnumerator<ChangeBatch> feed, int count)
    {
        var changes = new List<Change>();
        while (changes.Count < count && await feed.MoveNextAsync()) changes.AddRange(feed.Current.Changes);
        return changes;
    }
}
