using Krate.Core.Resources;
using Krate.Web.Live;
using Microsoft.AspNetCore.Components;

namespace Krate.Web.Features.Registries;

/// <summary>A component that follows who relies on parts of one kind, as far as the person may list them.</summary>
public abstract class UsesComponent : LiveComponent
{
    private readonly Dictionary<string, LiveQuery> followed = new(StringComparer.Ordinal);
    private bool changed;

    [Inject]
    public required Workplace Workplace { get; init; }

    [Parameter, EditorRequired]
    public Place Place { get; set; } = null!;

    protected PartUses Uses => field ??= new(Catalog);

    /// <summary>Whether the stacks that rely on something are known.</summary>
    protected bool SeesStacks => followed.GetValueOrDefault("AgentStack") is { State: not LiveState.Refused };

    /// <summary>What is followed, as it is now.</summary>
    protected IReadOnlyCollection<Resource> Shown => [.. followed.Values.Where(q => q.State != LiveState.Refused).SelectMany(q => q.Rows).Select(r => r.Resource)];

    protected IEnumerable<Resource> Stacks => Shown.Where(r => r.Kind.Kind == "AgentStack");

    protected async Task FollowAsync(IEnumerable<KindDefinition> kinds)
    {
        foreach (var kind in kinds)
            if (!followed.ContainsKey(kind.Kind) && await Workplace.MayAsync("list", kind, Place.NamespaceOf(kind), ct: Gone)) followed[kind.Kind] = await WatchAsync("uses " + kind.Kind, new LiveSource(kind, Place.NamespaceOf(kind)));
    }

    /// <summary>Reads anew what is drawn from <see cref="Shown"/>.</summary>
    protected abstract void Look();

    protected override void OnLive(LiveQuery query) => changed = true;

    /// <summary>What changes together is looked at once, when it is drawn.</summary>
    protected override bool ShouldRender()
    {
        if (changed)
        {
            changed = false;
            Look();
        }

        return base.ShouldRender();
    }
}
