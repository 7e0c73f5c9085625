using System.Globalization;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Work;

/// <summary>Issues and pull requests by the number that people know them by.</summary>
public static class WorkNumbers
{
    /// <summary>Fields of the one of a kind that has the number in a repository.</summary>
    public static Selector Fields(string repository, long number) => Selector.Parse(string.Create(CultureInfo.InvariantCulture, $"spec.repository={repository},spec.number={number}"));

    /// <param name="reference">The name of a resource, or a number, as <c>42</c>, <c>#42</c> or <c>repository/42</c>.</param>
    /// <exception cref="ApiException">404 for what is not there or in another repository, 403 for what the actor may not read.</exception>
    public static async Task<Resource> FindAsync(IResourceGateway gateway, Actor actor, KindDefinition kind, Resource repository, string reference, CancellationToken ct)
    {
        var number = reference.StartsWith(repository.Name + "/", StringComparison.Ordinal) ? reference[(repository.Name.Length + 1)..] : reference.TrimStart('#');
        if (!long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var n))
            return await gateway.GetAsync(actor, kind, repository.Namespace, reference, ct) is var named && named.Body.Text("spec.repository") == repository.Name ? named : throw ApiException.NotFound(kind, reference);
        var found = await gateway.ListAsync(actor, kind, repository.Namespace, new ListOptions { Fields = Fields(repository.Name, n), Limit = 1 }, ct);
        return found.Items is [var numbered] ? numbered : throw ApiException.NotFound(kind, reference);
    }
}
