using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Gateway;

/// <summary>Remembers in <c>status.author</c> who wrote the text of a document last, for kinds whose text somebody else reviews.</summary>
internal static class Authors
{
    /// <param name="before">Null when the document is new.</param>
    public static void Complete(Actor actor, KindDefinition kind, JsonObject? before, JsonObject document)
    {
        if (kind.AuthorOf is not { } path || (before is not null && before.Text(path) == document.Text(path))) return;
        document.Child("status")["author"] = actor.User;
    }
}
