using Krate.Core.Store;

namespace Krate.Core.Gateway;

/// <summary>
/// What one person has looked at or put aside, each of one version: a file of a pull request, an item of the Inbox. A mark of another
/// version says nothing. No resources: they decide nothing, and nobody else sees them. Thread-safe.
/// </summary>
public interface IPersonMarks
{
    /// <summary>User name and scope of marks that were changed by this process.</summary>
    event Action<string, string>? Changed;

    /// <summary>Versions by item.</summary>
    Task<IReadOnlyDictionary<string, string>> OfAsync(Actor actor, string scope, CancellationToken ct);

    /// <param name="version">Null takes the mark away.</param>
    /// <exception cref="Resources.ApiException">422 when a scope would have more than 10,000 marks, or a name is too long.</exception>
    Task SetAsync(Actor actor, string scope, string item, string? version, CancellationToken ct);
}

internal sealed class PersonMarks(IResourceStore store) : IPersonMarks
{
    public event Action<string, string>? Changed;

    public Task<IReadOnlyDictionary<string, string>> OfAsync(Actor actor, string scope, CancellationToken ct) => store.Marks.OfAsync(actor.User, scope, ct);

    public async Task SetAsync(Actor actor, string scope, string item, string? version, CancellationToken ct)
    {
        await store.Marks.SetAsync(actor.User, scope, item, version, ct);
        Changed?.Invoke(actor.User, scope);
    }
}
