using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Web.Features.Code;

namespace Krate.Web.Features.Work;

/// <summary>What forms about issues and pull requests share.</summary>
internal static class WorkText
{
    public static WorkLinks LinksOf(RepositoryPlace repository) => new(repository.Place.Org!, repository.Urls, repository.Hosted.DefaultBranch);

    /// <summary>A number of a bounded count.</summary>
    public static string Count(long total) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{total:N0}{(total >= NewestFirst.MostCounted ? "+" : "")}");

    public static string UrlOf(RepositoryPlace repository, Resource work) =>
        work.Kind.Kind == "PullRequest" ? repository.Urls.Pull(WorkQuery.NumberOf(work)) : repository.Urls.Issue(WorkQuery.NumberOf(work));

    /// <summary>A spec of the fields that have something in them.</summary>
    public static JsonObject SpecOf(params (string Name, JsonNode? Value)[] fields)
    {
        var spec = new JsonObject();
        foreach (var (name, value) in fields)
            if (value is JsonArray { Count: > 0 } or JsonObject || (value is JsonValue v && !(v.TryGetValue<string>(out var text) && text.Length == 0))) spec[name] = value;
        return spec;
    }

    /// <summary>Names with commas between them, each once.</summary>
    public static JsonArray Names(string text) =>
        new([.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.OrdinalIgnoreCase).Select(n => (JsonNode)n)]);
}
