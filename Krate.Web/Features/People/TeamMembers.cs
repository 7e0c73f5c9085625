using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Web.Features.Resources;

namespace Krate.Web.Features.People;

/// <summary>Changes of who is in a team. A person is in one of its two lists.</summary>
public static class TeamMembers
{
    public static ResourceChange Put(Resource team, string name, bool maintains) => Change(team, name, maintains ? "maintainers" : "members");

    public static ResourceChange Remove(Resource team, string name) => Change(team, name, null);

    private static ResourceChange Change(Resource team, string name, string? into)
    {
        var spec = new JsonObject();
        foreach (var list in (string[])["members", "maintainers"])
        {
            var before = team.Body.Texts("spec." + list).ToList();
            var after = before.Where(n => n != name).Concat(list == into ? [name] : []).ToList();
            if (!after.SequenceEqual(before)) spec[list] = new JsonArray([.. after.Select(n => (JsonNode)n)]);
        }

        return ResourceChange.PatchSeen(team, spec);
    }
}
