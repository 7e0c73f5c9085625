using System.Globalization;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Web.Live;

/// <summary>How many resources of each kind there are, kept true by watches. Runs on the renderer's dispatcher.</summary>
public sealed class LiveCounts(IResourceGateway gateway, Func<CancellationToken, ValueTask<Actor>> actor) : IAsyncDisposable
{
    private readonly CancellationTokenSource gone = new();
    private readonly Dictionary<KindDefinition, Count> counts = [];
    private readonly List<Task> loops = [];

    /// <summary>Null while unknown, and for kinds that the person may not list.</summary>
    public long? Of(KindDefinition kind) => counts.GetValueOrDefault(kind)?.Value;

    public string Text(KindDefinition kind) => Of(kind) is { } n ? n.ToString(CultureInfo.InvariantCulture) : "–";

    public IReadOnlyDictionary<string, (long Value, long Version)> Snapshot => counts.ToDictionary(c => c.Key.QualifiedPlural, c => (c.Value.Value, c.Value.Version));

    public void Show(IEnumerable<KindDefinition> kinds, IReadOnlyDictionary<string, (long Value, long Version)> snapshot)
    {
        foreach (var kind in kinds)
            if (snapshot.TryGetValue(kind.QualifiedPlural, out var s)) counts[kind] = new Count(s.Value, s.Version);
    }

    public async Task LoadAsync(IEnumerable<KindDefinition> kinds, Func<KindDefinition, string> namespaceOf)
    {
        foreach (var kind in kinds) await CountAsync(kind, namespaceOf(kind), gone.Token);
    }

    /// <summary>Follows what was loaded; <paramref name="changed"/> is called after each change.</summary>
    public void Start(Func<KindDefinition, string> namespaceOf, Action<KindDefinition> changed)
    {
        foreach (var kind in counts.Keys.Where(k => !k.ReadOnly).ToList()) loops.Add(FollowAsync(kind, namespaceOf(kind), changed, gone.Token));
    }

    public async ValueTask DisposeAsync()
    {
        if (gone.IsCancellationRequested) return;
        await gone.CancelAsync();
        await Task.WhenAll(loops);
        gone.Dispose();
    }

    private async Task<bool> CountAsync(KindDefinition kind, string ns, CancellationToken ct)
    {
        try
        {
            var page = await gateway.ListAsync(await actor(ct), kind, ns.Length == 0 ? null : ns, new ListOptions { Limit = 1 }, ct);
            // Without a known rest (narrowed to repositories) there is no number worth showing.
            if (page.Continue is not null && page.Remaining is null) counts.Remove(kind);
            else counts[kind] = new Count(page.Items.Count + (page.Remaining ?? 0), page.Version);
            return counts.ContainsKey(kind);
        }
        catch (ApiException)
        {
            counts.Remove(kind);
            return false;
        }
    }

    private async Task FollowAsync(KindDefinition kind, string ns, Action<KindDefinition> changed, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested && counts.TryGetValue(kind, out var count))
        {
            try
            {
                await foreach (var e in gateway.WatchAsync(await actor(ct), kind, ns.Length == 0 ? null : ns, new WatchOptions { FromVersion = count.Version }, ct))
                {
                    count = counts[kind] = new Count(count.Value + (e.Type switch { WatchEventType.Added => 1, WatchEventType.Deleted => -1, _ => 0 }), e.Version);
                    changed(kind);
                }

                return;
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (ApiException e) when (e.Code == 410)
            {
                if (!await CountAsync(kind, ns, ct)) changed(kind);
            }
            catch (ApiException)
            {
                counts.Remove(kind);
                changed(kind);
            }
        }
    }

    private sealed record Count(long Value, long Version);
}
