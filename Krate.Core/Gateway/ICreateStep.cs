using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Core.Store;

namespace Krate.Core.Gateway;

/// <summary>
/// Completes what is created of one kind with what takes reading, whichever door it came through: after admission has found it valid, before the
/// commit. Not asked for what Krate makes itself. Stateless and thread-safe.
/// </summary>
internal interface ICreateStep
{
    /// <summary>Kind name of the table.</summary>
    string Kind { get; }

    /// <param name="document">Valid, with its name and uid; to be changed in place.</param>
    /// <param name="dryRun">Nothing may be left behind.</param>
    /// <returns>Further creates for the same commit, complete as they are: no admission looks at them.</returns>
    /// <exception cref="ApiException">For what the caller can cause.</exception>
    Task<IReadOnlyList<CreateWrite>> CompleteAsync(Actor actor, JsonObject document, bool dryRun, CancellationToken ct);
}
