using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.ControlPlane;

/// <summary>Reads for the control plane: from memory where the kind is held there, else through the gateway.</summary>
internal sealed class ResourceReader(IResourceGateway gateway, IResourceCache cache, KindCatalog catalog)
{
    private const int PageSize = 500;

    /// <summary>Every kind that has stored instances.</summary>
    public IReadOnlyList<KindDefinition> Stored { get; } = [.. catalog.All.Where(k => !k.CreateOnly && !k.ReadOnly)];

    /// <summary>Whether <see cref="IResourceCache"/> holds the kind.</summary>
    public static bool IsHeld(KindDefinition kind) => ResourceCache.Holds(kind);

    /// <summary>Null when there is none.</summary>
    public ValueTask<Resource?> FindAsync(Actor actor, KindDefinition kind, string ns, string name, CancellationToken ct) =>
        IsHeld(kind) ? new(cache.Get(kind, ns, name)) : new(FindLiveAsync(actor, kind, ns, name, ct));

    /// <summary>Asks the store, whatever memory says.</summary>
    public async Task<Resource?> FindLiveAsync(Actor actor, KindDefinition kind, string ns, string name, CancellationToken ct)
    {
        try
        {
            return await gateway.GetAsync(actor, kind, ns, name, ct);
        }
        catch (ApiException e) when (e.Code == 404)
        {
            return null;
        }
    }

    /// <summary>Null namespace: all.</summary>
    public async IAsyncEnumerable<Resource> ListAsync(Actor actor, KindDefinition kind, string? ns, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        if (IsHeld(kind))
        {
            foreach (var resource in cache.List(kind, ns)) yield return resource;
            yield break;
        }

        string? next = null;
        do
        {
            var page = await gateway.ListAsync(actor, kind, ns, new ListOptions { Limit = PageSize, Continue = next }, ct);
            foreach (var resource in page.Items) yield return resource;
            next = page.Continue;
        }
        while (!string.IsNullOrEmpty(next));
    }

    public KindDefinition? FindKind(string kind) => catalog.Find(kind);
}
