using Microsoft.AspNetCore.Components;

namespace Krate.Web.Live;

/// <summary>Carries what the prerendered page loaded over to its circuit, so that nothing is loaded twice. One per page load, one per circuit.</summary>
public sealed class Carrier(Handover handover)
{
    private Dictionary<string, object>? bag;

    /// <summary>Where the bag of the prerendered page lies.</summary>
    [PersistentState]
    public string? Key { get; set; }

    /// <summary>Loads, or takes what prerendering has loaded under the same name. Each value is taken once; later navigation loads anew.</summary>
    /// <param name="renderer">Of the asking component: says whether this is the prerendering or the circuit.</param>
    public async Task<T> LoadAsync<T>(RendererInfo renderer, string name, Func<Task<T>> load)
        where T : class
    {
        if (renderer.IsInteractive)
        {
            bag ??= (Key is null ? null : handover.Take(Key)) ?? [];
            return bag.Remove(name, out var carried) && carried is T value ? value : await load();
        }

        var loaded = await load();
        if (bag is null) (Key, bag) = handover.Open();
        bag[name] = loaded;
        return loaded;
    }
}
