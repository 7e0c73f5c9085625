using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Web.Live;

/// <summary>What a list showed at one resource version.</summary>
/// <param name="Continue">Token of the next page; null at the end.</param>
/// <param name="Remaining">How many follow, when known.</param>
/// <param name="Searched">How many were looked through for a text filter that found too little to fill the page; null when all were.</param>
public sealed record LiveSnapshot(IReadOnlyList<Resource> Items, long Version, string? Continue, long? Remaining, int? Searched)
{
    internal const int SearchPage = 500;
    internal const int SearchLimit = 5000;

    /// <summary>Of a list by number: what is older is before this number; null at the end.</summary>
    public long? Older { get; init; }

    /// <summary>Of a list by number: what is newer is after this number; null on the first page.</summary>
    public long? Newer { get; init; }

    /// <summary>Of a list by number: how many there are on all pages, at most <see cref="NewestFirst.MostCounted"/>; null when a text filter keeps that unknown.</summary>
    public long? Total { get; init; }

    /// <summary>Reads a page through the gateway. A text filter reads on until the page is full, the list ends or 5,000 were looked through.</summary>
    /// <exception cref="ApiException">What the gateway refuses.</exception>
    public static async Task<LiveSnapshot> LoadAsync(IResourceGateway gateway, Actor actor, LiveSource source, CancellationToken ct)
    {
        if (source.Newest is not null) return await NewestPage.LoadAsync(gateway, actor, source, ct);
        var options = new ListOptions { Labels = source.Labels, Fields = source.Fields, Limit = source.Limit, Continue = source.Continue };
        if (!source.IsFiltered)
        {
            var page = await gateway.ListAsync(actor, source.Kind, source.Namespace, options, ct);
            return new(page.Items, page.Version, page.Continue, page.Remaining, null);
        }

        var found = new List<Resource>();
        for (var searched = 0; ;)
        {
            var page = await gateway.ListAsync(actor, source.Kind, source.Namespace, options with { Limit = SearchPage }, ct);
            found.AddRange(page.Items.Where(source.Admits));
            searched += page.Items.Count;
            var full = found.Count >= Math.Max(source.Limit, 1) || searched >= SearchLimit;
            if (page.Continue is null || full) return new(found, page.Version, page.Continue, null, page.Continue is null ? null : searched);
            options = options with { Continue = page.Continue };
        }
    }
}
