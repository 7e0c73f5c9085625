using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Web.Hosting.SignIn;
using Microsoft.AspNetCore.Components;

namespace Krate.Web.Live;

/// <summary>
/// A component that looks at live data: says with <see cref="WatchAsync"/> what it needs, draws the snapshot while
/// prerendering and follows the changes in its circuit. Renders at most ten times a second.
/// </summary>
public abstract class LiveComponent : ComponentBase, IAsyncDisposable
{
    private readonly Dictionary<string, LiveQuery> queries = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource gone = new();
    private RenderGate? gate;

    [Inject]
    public required IResourceGateway Gateway { get; init; }

    [Inject]
    public required ICurrentActor CurrentActor { get; init; }

    [Inject]
    public required KindCatalog Catalog { get; init; }

    [Inject]
    public required TimeProvider Time { get; init; }

    [Inject]
    public required Carrier Carrier { get; init; }

    [Inject]
    public required ILogger<LiveComponent> Log { get; init; }

    /// <summary>Cancelled when the component goes.</summary>
    protected CancellationToken Gone => gone.Token;

    public virtual async ValueTask DisposeAsync()
    {
        if (gone.IsCancellationRequested) return;
        await gone.CancelAsync();
        gate?.Close();
        foreach (var query in queries.Values) await query.DisposeAsync();
        gone.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The query under a name of this component; another source under the same name replaces it, the same source keeps it.</summary>
    protected async Task<LiveQuery> WatchAsync(string name, LiveSource source)
    {
        if (queries.TryGetValue(name, out var known) && known.Source.Id == source.Id) return known;
        if (known is not null) await known.DisposeAsync();
        var query = queries[name] = new LiveQuery(Gateway, CurrentActor.GetAsync, source, Time, Log);
        var carried = await Carrier.LoadAsync(RendererInfo, $"{GetType().Name}|{name}|{source.Id}", async () => new Carried(await query.LoadAsync()));
        if (query.Snapshot is null && query.Problem is null)
        {
            if (carried.Snapshot is { } snapshot) query.Show(snapshot);
            else await query.LoadAsync();
        }

        if (RendererInfo.IsInteractive) query.Start(() => Changed(query));
        return query;
    }

    protected async Task StopAsync(string name)
    {
        if (queries.Remove(name, out var query)) await query.DisposeAsync();
    }

    /// <summary>Called on each change, before the render that shows it.</summary>
    protected virtual void OnLive(LiveQuery query)
    {
    }

    /// <summary>Renders soon, together with whatever else changes until then.</summary>
    protected void RenderSoon() => (gate ??= new RenderGate(Time, () => InvokeAsync(StateHasChanged))).Request();

    private void Changed(LiveQuery query)
    {
        if (gone.IsCancellationRequested) return;
        OnLive(query);
        RenderSoon();
    }

    private sealed record Carried(LiveSnapshot? Snapshot);
}
