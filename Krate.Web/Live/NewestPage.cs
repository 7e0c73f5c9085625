using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Web.Live;

/// <summary>Reads a page of a list by falling number: from the top, from a number downwards, or from a number upwards.</summary>
internal sealed class NewestPage(LiveSource source, NewestFirst start)
{
    private readonly List<Resource> found = [];
    private long last;
    private int searched;

    private bool IsUpwards => start.After is not null;

    private bool IsFull => source.Limit > 0 && found.Count >= source.Limit;

    public static async Task<LiveSnapshot> LoadAsync(IResourceGateway gateway, Actor actor, LiveSource source, CancellationToken ct)
    {
        var page = await new NewestPage(source, source.Newest!).ReadAsync(gateway, actor, ct);
        // Upwards to the end is the first page, whose size does not depend on where one came from.
        return source.Newest!.After is null || page.Newer is not null ? page : await new NewestPage(source, new NewestFirst { Counted = source.Newest.Counted }).ReadAsync(gateway, actor, ct);
    }

    private async Task<LiveSnapshot> ReadAsync(IResourceGateway gateway, Actor actor, CancellationToken ct)
    {
        var options = new ListOptions
        {
            Labels = source.Labels, Fields = source.Fields, Limit = source.IsFiltered ? LiveSnapshot.SearchPage : source.Limit,
            Newest = start with { Counted = start.Counted && !source.IsFiltered },
        };
        var first = await gateway.ListAsync(actor, source.Kind, source.Namespace, options, ct);
        for (var page = first; ;)
        {
            var more = !Take(page) || page.HasMore;
            if (!more || IsFull || searched >= LiveSnapshot.SearchLimit) return Snapshot(first, more);
            page = await gateway.ListAsync(actor, source.Kind, source.Namespace, options with { Newest = IsUpwards ? new(After: last) : new(Before: last) }, ct);
        }
    }

    /// <returns>Whether the whole page was looked at.</returns>
    private bool Take(ResourceList page)
    {
        foreach (var item in IsUpwards ? page.Items.Reverse() : page.Items)
        {
            if (IsFull) return false;
            if (source.Admits(item)) found.Add(item);
            last = LiveSource.NumberOf(item);
            searched++;
        }

        return true;
    }

    private LiveSnapshot Snapshot(ResourceList first, bool more)
    {
        if (IsUpwards) found.Reverse();
        long? top = found.Count > 0 ? LiveSource.NumberOf(found[0]) : null, bottom = found.Count > 0 ? LiveSource.NumberOf(found[^1]) : null;
        return new(found, first.Version, null, null, more && !IsFull ? searched : null)
        {
            Older = IsUpwards ? bottom ?? start.After + 1 : more ? last : null,
            Newer = IsUpwards ? more ? last : null : start.Before is { } before ? top ?? before - 1 : null,
            Total = first.Matching,
        };
    }
}
