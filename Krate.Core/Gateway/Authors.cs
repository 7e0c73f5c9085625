using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Gateway;

/// <summary>
/// Remembers in the status who wrote a spec last: its author, for kinds whose text somebody else reviews; and the requester with uid and
/// groups, for kinds that act with the rights of whoever asked.
/// </summary>
internal static class Authors
{
    /// <param name="before">Null when the document is new.</param>
    public static void Complete(Actor actor, KindDefinition kind, JsonObject? before, JsonObject document)
    {
        if (kind.AuthorOf is { } path && (before is null || before.Text(path) != document.Text(path))) document.Child("status")["author"] = actor.User;
        if (kind.RemembersRequester && (before is null || !JsonNode.DeepEquals(before["spec"], document["spec"]))) RememberRequester(actor, document.Child("status"));
    }

    /// <summary>Whoever asks; nobody else, whatever the document says.</summary>
    private static void RememberRequester(Actor actor, JsonObject status)
    {
        status["requestedBy"] = actor.User;
        if (actor.Uid is { } uid) status["requestedByUid"] = uid;
        else status.Remove("requestedByUid");
        status["requestedByGroups"] = new JsonArray([.. actor.Groups.Select(g => (JsonNode)g)]);
    }
}
