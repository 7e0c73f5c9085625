using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Core.Store;

namespace Krate.Core.Gateway;

/// <summary>
/// Adds what has to be written in the same transaction as a change: both happen, or neither. Asked for every admitted write, so that it must be
/// quick where nothing is to be added, and must not throw. Stateless and thread-safe.
/// </summary>
internal interface ICommitCompanion
{
    /// <returns>Further creates; one with <see cref="CreateWrite.With"/> is built from the change as it will be stored.</returns>
    IReadOnlyList<CreateWrite> For(AdmittedChange change);
}

/// <param name="Before">Null for a create.</param>
/// <param name="After">As it will be, without version; a numbered kind has no number and perhaps no name yet. For a delete the last state.</param>
/// <param name="Records">Further audit events of the write: refs that have moved.</param>
internal sealed record AdmittedChange(Actor Actor, string Verb, Resource? Before, Resource After, string Subresource, IReadOnlyList<JsonObject> Records);
