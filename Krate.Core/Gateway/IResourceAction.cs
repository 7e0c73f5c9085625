using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Gateway;

/// <summary>
/// A product action: POST on a subresource, authorised before it runs by <see cref="Access"/>, answered synchronously.
/// The kind's row lists its name in <see cref="KindDefinition.Actions"/>. Stateless and thread-safe.
/// </summary>
public interface IResourceAction
{
    /// <summary>Kind name of the table.</summary>
    string Kind { get; }

    /// <summary>Subresource name (<c>token</c>, <c>merge</c>).</summary>
    string Name { get; }

    /// <summary>The RBAC verb and the resource it is asked on (<c>create</c> on <c>serviceaccounts/token</c>, <c>merge</c> on <c>pullrequests</c>).</summary>
    (string Verb, string Subresource) Access { get; }

    /// <summary>Whether the audit log gets an event for each run. Not for what runs each second and leaves its own trace.</summary>
    bool IsRecorded => true;

    /// <param name="body">What the caller asks for; for an action of bytes the query's parameters.</param>
    /// <exception cref="ApiException">For what the caller can cause.</exception>
    Task<JsonObject> RunAsync(Actor actor, Resource target, JsonObject body, CancellationToken ct);
}

/// <summary>An action whose body is bytes of any kind: those of <see cref="KindDefinition.ByteActions"/>.</summary>
public interface IByteAction : IResourceAction
{
    /// <exception cref="ApiException">For what the caller can cause.</exception>
    Task<JsonObject> RunAsync(Actor actor, Resource target, JsonObject parameters, Stream bytes, CancellationToken ct);

    Task<JsonObject> IResourceAction.RunAsync(Actor actor, Resource target, JsonObject body, CancellationToken ct) => RunAsync(actor, target, body, Stream.Null, ct);
}
