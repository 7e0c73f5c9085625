using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.AspNetCore.StaticAssets;
using Xunit;

namespace Krate.Tests.Repositories;

/// <summary>
/// What a private repository holds, everywhere that somebody without it can ask. Each question is asked twice: with the words that are
/// in the repository, and with others of the same length that are nowhere. The answers must be the same but for the words, and what is
/// asked without a word must not be answered with one.
/// </summary>
[Collection(typeof(GitCollection))]
public sealed partial class OutsiderTests(GitWorld world) : IDisposable
{
    private readonly GitClient git = new();

    /// <summary>Routes that are not walked by filling in their parameters.</summary>
    private static readonly Dictionary<string, string> Exempt = new()
    {
        ["/api/v1/{**rest}"] = "every kind with every verb is a test of its own",
        ["/apis/{group}/{version}/{**rest}"] = "every kind with every verb is a test of its own",
        ["/{**path:file}"] = "files of the build that are not there",
        ["/_blazor/negotiate"] = "opens a circuit, which draws the pages that are walked here",
        ["/_blazor"] = "opens a circuit, which draws the pages that are walked here",
        ["/_blazor/disconnect/"] = "ends a circuit",
        ["/_blazor/initializers/"] = "names of scripts",
        ["/hubs/agent-sessions/negotiate"] = "opens a hub; who may follow a session is a test of its own",
        ["/hubs/agent-sessions"] = "opens a hub; who may follow a session is a test of its own",
        ["/hubs/runs/negotiate"] = "opens a hub; who may follow a log is a test of its own",
        ["/hubs/runs"] = "opens a hub; who may follow a log is a test of its own",
        ["/signin/local"] = "signs in the local developer, who may see everything",
        ["/signout"] = "ends a session",
    };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => git.Dispose();

    [Fact]
    public async Task A_private_repository_is_invisible_to_an_outsider_on_every_route()
    {
        var secret = await Planted.InAsync(world, git);
        var routes = world.Server.Service<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(e => e.Metadata.GetMetadata<StaticAssetDescriptor>() is null && e.RoutePattern.RawText?.StartsWith("/_framework/", StringComparison.Ordinal) != true && e.RoutePattern.RawText?.StartsWith("_framework/", StringComparison.Ordinal) != true)
            .ToList();
        var questions = routes.SelectMany(QuestionsOf).Distinct().ToList();

        await AskAllAsync(secret, questions);
        Assert.Equal("302 404 200", string.Join(' ', await Task.WhenAll(People().Select(async p => (await SendAsync(p.Client, new("GET", "/orgs/acme", null) { Accept = "text/html" }))[..3]))));
        Assert.True(routes.Count > 40 && questions.Count > routes.Count, "the table of routes was not found");
    }

    [Fact]
    public async Task A_private_repository_is_invisible_to_an_outsider_through_every_verb_of_every_kind()
    {
        var secret = await Planted.InAsync(world, git);
        var questions = KindTable.All.SelectMany(k => VerbsOf(k, secret.DocumentOf(k))).ToList();

        await AskAllAsync(secret, questions);
        Assert.Equal("200 403 403", string.Join(' ', await Task.WhenAll(People().Reverse().Select(async p => (await SendAsync(p.Client, new("GET", Collection(KindTable.Catalog["Issue"]), null)))[..3]))));
    }

    private IEnumerable<(string Who, HttpClient Client)> People()
    {
        yield return ("nobody", world.Server.NewClient(http: true));
        yield return ("a person without a role", world.ClientOf("oskar"));
        yield return ("a member of the organization", world.ClientOf("mira"));
    }

    private async Task AskAllAsync(Planted secret, IReadOnlyList<Question> questions)
    {
        var leaks = new ConcurrentBag<string>();
        var asked = from person in People().ToList() from question in questions where !question.IsForm || person.Who.StartsWith("a member", StringComparison.Ordinal) select (person, question);
        await Parallel.ForEachAsync(asked, new ParallelOptions { MaxDegreeOfParallelism = 6, CancellationToken = Ct }, async (a, _) =>
        {
            var absent = await SendAsync(a.person.Client, a.question.With(secret.Elsewhere));
            var found = secret.Words.FirstOrDefault(w => absent.Contains(w, StringComparison.OrdinalIgnoreCase));
            if (found is not null) leaks.Add($"{a.person.Who} reads {found} in {a.question}: {absent}");
            if (!a.question.IsTargeted) return;
            var hidden = await SendAsync(a.person.Client, a.question.With(secret.Here));
            if (secret.Elsewhere(hidden) is var same && same != absent) leaks.Add($"{a.person.Who} can tell hidden from absent by {a.question}:\n{Apart(same, absent)}\n{Apart(absent, same)}");
        });
        Assert.True(leaks.IsEmpty, $"{leaks.Count} leaks\n{string.Join("\n", leaks.Order(StringComparer.Ordinal).Take(40))}");
    }

    /// <summary>Where a text begins to differ from the other.</summary>
    private static string Apart(string text, string other)
    {
        var at = text.Zip(other).TakeWhile(p => p.First == p.Second).Count();
        return text[Math.Max(0, at - 80)..Math.Min(text.Length, at + 200)];
    }

    /// <summary>Status, the headers that tell something, and the body without what differs from answer to answer.</summary>
    private static async Task<string> SendAsync(HttpClient client, Question question)
    {
        using var request = new HttpRequestMessage(new HttpMethod(question.Method), new Uri(question.Path, UriKind.Relative));
        if (question.Body is not null) request.Content = new StringContent(question.Body, Encoding.UTF8, MediaTypeHeaderValue.Parse(question.Type));
        if (question.Accept is not null) request.Headers.TryAddWithoutValidation("Accept", question.Accept);
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
        var body = question.IsStream && response.IsSuccessStatusCode ? await StartOfAsync(response) : await response.Content.ReadAsStringAsync(Ct);
        Assert.True((int)response.StatusCode < 500, $"{question}: {(int)response.StatusCode} {body}");
        return $"{(int)response.StatusCode} {response.Content.Headers.ContentType} {response.Headers.Location} {response.Headers.WwwAuthenticate} {Changing().Replace(body, "")}";
    }

    /// <summary>What a watch or a stream of events begins with: up to the end of what is there already.</summary>
    private static async Task<string> StartOfAsync(HttpResponseMessage response)
    {
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Ct));
        var lines = new StringBuilder();
        while (await reader.ReadLineAsync(Ct) is { } line)
        {
            lines.AppendLine(line);
            if (line.Contains("k8s.io/initial-events-end", StringComparison.Ordinal) || line.Contains("\"SYNC\"", StringComparison.Ordinal)) break;
        }

        return lines.ToString();
    }

    private static IEnumerable<Question> QuestionsOf(RouteEndpoint route)
    {
        var pattern = "/" + route.RoutePattern.RawText!.TrimStart('/');
        if (Exempt.ContainsKey(pattern)) yield break;
        var methods = route.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"];
        foreach (var path in Filled(route.RoutePattern, pattern))
        {
            foreach (var method in methods.DefaultIfEmpty("GET").Where(m => m is not ("HEAD" or "OPTIONS")))
            {
                if (method is not ("GET" or "DELETE"))
                    foreach (var (type, body) in Bodies(pattern)) yield return new(method, path, body) { Type = type };
                else yield return new(method, path, null) { Accept = pattern.StartsWith("/api", StringComparison.Ordinal) ? "application/json" : "text/html", IsStream = pattern.StartsWith("/api/watch", StringComparison.Ordinal) };
            }
        }
    }

    private static IEnumerable<(string Type, string Body)> Bodies(string pattern)
    {
        if (pattern.StartsWith("/git/", StringComparison.Ordinal)) yield return ("application/x-git-upload-pack-request", "0014command=ls-refs\n00010009peel\n0000");
        else yield return ("application/json", $$$"""{"kind":"Issue","metadata":{"name":"{{{Planted.Token}}}-issue"},"spec":{"organizationRef":"acme","repository":"{{{Planted.Token}}}","title":"x"}}""");
    }

    /// <summary>Addresses of a route, each with what could lead to the repository in place of its parameters.</summary>
    private static IEnumerable<string> Filled(RoutePattern pattern, string text)
    {
        IEnumerable<string> paths = [""];
        foreach (var segment in pattern.PathSegments)
        {
            var parts = segment.Parts.Select(p => p switch
            {
                RoutePatternLiteralPart literal => [literal.Content],
                RoutePatternSeparatorPart separator => [separator.Content],
                RoutePatternParameterPart parameter => Values(parameter.Name, text),
                _ => throw new InvalidOperationException(text),
            });
            var words = parts.Aggregate((IEnumerable<string>)[""], (all, part) => all.SelectMany(a => part.Select(p => a + p)).ToList());
            paths = paths.SelectMany(p => words.Select(w => $"{p}/{w}")).ToList();
        }

        var queries = Queries(text);
        return paths.DefaultIfEmpty("/").SelectMany(p => queries.Select(q => (p.Length == 0 ? "/" : p) + q));
    }

    private static string[] Queries(string text) => text switch
    {
        "/git/{org}/{name}.git/info/refs" => ["", "?service=git-upload-pack", "?service=git-receive-pack"],
        "/api/controller/resources" or "/api/orgs/{org}/resources" => [.. Planted.Kinds.Select(k => $"?kind={k.Kind}&org=acme"), $"?kind=Issue&org=acme&labelSelector=krate.a5c.ai%2Frepository%3D{Planted.Token}"],
        "/api/controller/resources/{kind}/{name}" => ["?org=acme"],
        _ when text.StartsWith("/orgs/{Org}/repositories/{Name}", StringComparison.Ordinal) => ["", $"?q={Planted.Token}"],
        _ when text.StartsWith("/orgs/{Org}/repositories", StringComparison.Ordinal) || text.StartsWith("/orgs/{Org}/connect", StringComparison.Ordinal) => ["", $"?q={Planted.Token}&repository={Planted.Token}&fork={Planted.Token}&forkOf={Planted.Token}"],
        _ => [""],
    };

    private static string[] Values(string parameter, string text) => parameter.ToUpperInvariant() switch
    {
        "ORG" => ["acme"],
        "NAME" when text.Contains("/repositories/", StringComparison.Ordinal) || text.StartsWith("/git/", StringComparison.Ordinal) => [Planted.Token],
        "NAME" => [Planted.Token + "-issue"],
        // Pages ask the gateway like the API, where every kind is asked for; one of each sort is enough.
        "PLURAL" when !text.StartsWith("/api/", StringComparison.Ordinal) => ["repositories", "issues", "jobs", "rolebindings", "events", "auditevents"],
        "PLURAL" or "PLURALS" => [.. Planted.Kinds.Select(k => k.Plural)],
        "KIND" => [.. Planted.Kinds.Select(k => k.Kind)],
        "REST" when text.Contains("/repositories/", StringComparison.Ordinal) => ["main", $"main/{Planted.Token}.md", $"{Planted.Token}-branch", $"main...{Planted.Token}-branch", Planted.CommitMark],
        "REST" => ["v1/" + Planted.Token],
        "PATH" => ["tools", "mcp", "skills"],
        "REVISION" or "SHA" or "COMMIT" or "ID" => [Planted.CommitMark],
        "RANGE" => [$"main...{Planted.Token}-branch"],
        "NUMBER" => ["1", "2"],
        "RUN" => [Planted.Token + "-pipeline"],
        "JOB" => [Planted.Token + "-job"],
        "ARTIFACT" => [Planted.Token + "-artifact"],
        "HOOK" => [Planted.Token + "-webhooksubscription"],
        "PROVIDER" => [Planted.Token + "-provider"],
        "DELIVERY" => [Planted.Token + "-webhookdelivery"],
        "TAB" when text.Contains("/people", StringComparison.Ordinal) => ["teams", "invites"],
        "FORM" => ["new"],
        "TAB" => ["commits", "files", "checks", "yaml"],
        "SECTION" when !text.Contains("/repositories/", StringComparison.Ordinal) => ["members", "agents", "sharing", "danger"],
        "SECTION" => ["permissions", "protection", "agents", "danger"],
        "GROUP" => [WellKnown.ApiGroup],
        "VERSION" => ["v1alpha1"],
        "DOCUMENT" => ["apis/" + WellKnown.GroupVersion],
        _ => throw new InvalidOperationException($"{text}: say in this test what stands for {{{parameter}}}, so that the route is walked"),
    };

    private static string Collection(KindDefinition kind, bool everywhere = false)
    {
        var root = kind.Group.Length == 0 ? "/api/v1" : $"/apis/{kind.Group}/{kind.Version}";
        var ns = kind.Scope switch { KindScope.Cluster => null, KindScope.Platform => WellKnown.PlatformNamespace, _ => GitWorld.Namespace };
        return ns is null || everywhere ? $"{root}/{kind.Plural}" : $"{root}/namespaces/{ns}/{kind.Plural}";
    }

    private static IEnumerable<Question> VerbsOf(KindDefinition kind, JsonObject? document)
    {
        const string Table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
        const string Watch = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
        var all = Collection(kind);
        if (!kind.CreateOnly)
        {
            yield return new("GET", all, null);
            yield return new("GET", Collection(kind, everywhere: true), null);
            yield return new("GET", $"{all}?{Watch}", null) { IsStream = true };
        }

        // Only what belongs to a repository, or may be named after one, has something to hide.
        if (document is null) yield break;
        yield return new("GET", all, null) { Accept = Table, IsForm = true };
        yield return new("GET", all, null) { Accept = "application/yaml", IsForm = true };
        yield return new("GET", all + "?limit=1", null) { IsForm = true };
        yield return new("GET", $"{all}?labelSelector=krate.a5c.ai%2Frepository%3D{Planted.Token}", null) { IsForm = true };
        foreach (var field in kind.SelectableFields.Append("metadata.name")) yield return new("GET", $"{all}?fieldSelector={field}%3D{Planted.Token}", null) { IsForm = true };

        var one = $"{all}/{document.Text("metadata.name")}";
        var body = document.ToJsonString();
        yield return new("GET", one, null);
        yield return new("GET", one, null) { Accept = Table, IsForm = true };
        yield return new("GET", one, null) { Accept = "application/yaml", IsForm = true };
        yield return new("GET", one + "/status", null);
        yield return new("GET", $"{all}?{Watch}&fieldSelector=metadata.name%3D{document.Text("metadata.name")}", null) { IsStream = true };
        if (kind.ReadOnly) yield break;
        yield return new("PUT", one, body);
        yield return new("PUT", one + "/status", body);
        yield return new("PATCH", one, """{"metadata":{"labels":{"a":"b"}}}""") { Type = "application/merge-patch+json" };
        yield return new("PATCH", one, """[{"op":"test","path":"/kind","value":"x"}]""") { Type = "application/json-patch+json" };
        yield return new("PATCH", one + "/status", """{"status":{"phase":"x"}}""") { Type = "application/merge-patch+json" };
        yield return new("DELETE", one + "?dryRun=All", null);
        yield return new("DELETE", one, null);
        foreach (var action in kind.Actions) yield return new("POST", $"{one}/{action}", "{}");
        foreach (var action in kind.ByteActions) yield return new("GET", $"{one}/{action}", null);
        // Another of the kind that refers to what is hidden. A name that is taken is another matter.
        var other = document.Copy();
        if (kind.NamePrefix is null) other.Set("metadata.name", "other-" + kind.Plural);
        else other.Child("metadata").Remove("name");
        if (kind.Kind != "Repository") yield return new("POST", all + "?dryRun=All", other.ToJsonString());
    }

    [GeneratedRegex("""<!--Blazor[^>]*-->|nonce="[^"]*"|name="__RequestVerificationToken"[^>]*value="[^"]*"|"?resourceVersion"?: ?"[0-9]+"|"correlationId":"[^"]*"|<!--[\s\S]*?-->|value="CfDJ8[^"]*"|id: [0-9]+|data-k-correlation="[^"]*"|id="mud[^"]*"|"[a-z-]+-[0-9a-f]{8}"|\b[0-9a-f]{32}\b|[>\s"][0-9a-f]{12}[<\s"]|[a-z]+-01[0-9a-z]{24}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z""")]
    private static partial Regex Changing();

    /// <summary>One request. Its words are those that are planted.</summary>
    private sealed record Question(string Method, string Path, string? Body)
    {
        public string? Accept { get; init; }

        public string Type { get; init; } = "application/json";

        public bool IsStream { get; init; }

        /// <summary>Another form of an answer that is asked for in plain form, too: of interest to whom something is answered.</summary>
        public bool IsForm { get; init; }

        /// <summary>It names something that is hidden.</summary>
        public bool IsTargeted => (Path + Body).Contains(Planted.Token, StringComparison.Ordinal) || Path.Contains(Planted.CommitMark, StringComparison.Ordinal);

        public Question With(Func<string, string> words) => this with { Path = words(Path), Body = Body is null ? null : words(Body) };

        public override string ToString() => $"{Method} {Path} {Accept} {Body}";
    }
}
