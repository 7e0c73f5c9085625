using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Xunit;

namespace Krate.Tests.Gateway;

/// <summary>The authorizer against a second, naive one that walks the documents for every question and knows no index.</summary>
public sealed class RbacPropertyTests
{
    private const int Worlds = 500;
    private const int RequestsPerWorld = 60;
    private static readonly string[] Namespaces = ["acme", "beta"];
    private static readonly string[] Users = ["mira", "noor", "system:serviceaccount:acme:bot", "system:serviceaccount:beta:bot"];
    private static readonly string[] Groups = ["devs", "ops", "system:authenticated"];
    private static readonly string[] Verbs = ["get", "list", "watch", "create", "merge", "*"];
    private static readonly string[] ApiGroups = ["", "krate.a5c.ai", "*"];
    private static readonly string[] Resources = ["pods", "repositories", "issues", "*"];
    private static readonly string[] Subresources = ["", "", "log", "status"];
    private static readonly string[] Names = ["", "a", "b", "c"];
    private static readonly string[] Paths = ["/", "/metrics", "/api", "/api/x", "/apis", "/openapi/v3"];
    private static readonly string[] ListedPaths = ["/metrics", "/api", "/api/*", "/*", "*", "/openapi/v3**"];

    [Fact]
    public void Agrees_with_a_naive_reading_of_the_documents_over_random_roles_bindings_and_requests()
    {
        var asked = 0;
        var allowed = 0;
        for (var seed = 0; seed < Worlds; seed++)
        {
            var random = new Random(seed);
            var world = new RbacWorld();
            var early = random.Next(2) == 0;
            if (early) world.Authorizer.Initialize();
            for (var i = random.Next(10, 90); i >= 0; i--) Change(random, world);
            if (!early) world.Authorizer.Initialize();
            for (var i = 0; i < RequestsPerWorld; i++, asked++)
            {
                if (i % 6 == 0) Change(random, world);
                var (actor, request) = (Actor(random), Request(random));
                var expected = Naive.Allows(world.All, actor, request);
                var decision = world.Authorizer.Decide(actor, request);
                if (decision.Allowed != expected) Assert.Fail(Story(seed, world, actor, request, $"naive {expected}, authorizer {decision}"));
                if (expected) allowed++;
                CheckNames(seed, world, actor, request);
                CheckRules(seed, world, actor, request, expected);
            }
        }

        Assert.True(asked >= 10_000, $"{asked} requests");
        // A generator that only ever refuses, or only allows, would prove nothing.
        Assert.InRange(allowed, asked / 10, asked * 9 / 10);
    }

    private static void CheckNames(int seed, RbacWorld world, Actor actor, AccessRequest request)
    {
        if (request.Path is not null) return;
        var combined = request.Subresource.Length > 0 ? $"{request.Resource}/{request.Subresource}" : request.Resource;
        var names = world.Authorizer.NamesAllowed(actor, request.Verb, request.Group, combined, request.Namespace);
        foreach (var name in Names.Append("unheard-of"))
        {
            var expected = Naive.Allows(world.All, actor, request with { Name = name });
            var got = names is null || names.Contains(name);
            if (expected != got) Assert.Fail(Story(seed, world, actor, request with { Name = name }, $"naive {expected}, NamesAllowed {(names is null ? "all" : string.Join(',', names))}"));
        }
    }

    private static void CheckRules(int seed, RbacWorld world, Actor actor, AccessRequest request, bool expected)
    {
        // A path asked in a namespace: the rules are listed there, as in Kubernetes, but give nothing.
        var ns = request.Path is null ? request.Namespace : "";
        var got = world.Authorizer.RulesFor(actor, ns).Any(r => RbacEvaluator.Allows(r, request));
        if (got != expected) Assert.Fail(Story(seed, world, actor, request, $"naive {expected}, RulesFor {got}"));
    }

    private static string Story(int seed, RbacWorld world, Actor actor, AccessRequest request, string what) =>
        $"seed {seed}: {what}\n{actor.User} [{string.Join(' ', actor.Groups)}] asks {request}\n{string.Join('\n', world.All.Select(r => r.Body.ToJsonString()))}";

    private static T Pick<T>(Random random, IReadOnlyList<T> from) => from[random.Next(from.Count)];

    private static string Some(Random random, IReadOnlyList<string> from, int most) => string.Join(',', Enumerable.Range(0, random.Next(1, most + 1)).Select(_ => Pick(random, from)).Distinct());

    private static void Change(Random random, RbacWorld world)
    {
        var ns = Pick(random, Namespaces);
        var name = $"x{random.Next(3)}";
        switch (random.Next(7))
        {
            case 0:
                world.Role(ns, name, Rules(random));
                break;
            case 1:
                world.Role("", name, Rules(random));
                break;
            case 2 or 3:
                world.Bind(ns, name, $"{(random.Next(2) == 0 ? "Role" : "ClusterRole")}/x{random.Next(3)}", Subjects(random));
                break;
            case 4:
                world.Bind("", name, $"{(random.Next(9) == 0 ? "Role" : "ClusterRole")}/x{random.Next(3)}", Subjects(random));
                break;
            default:
                if (random.Next(4) == 0 && world.All.Skip(random.Next(8)).FirstOrDefault() is { } gone) world.Delete(gone.Kind.Kind, gone.Namespace, gone.Name);
                break;
        }
    }

    private static string[] Rules(Random random) =>
    [
        .. Enumerable.Range(0, random.Next(0, 6)).Select(_ => random.Next(4) == 0
            ? $"{Some(random, Verbs, 2)} {Some(random, ListedPaths, 2)}".Replace(" *", " /*,*", StringComparison.Ordinal)
            : $"{Some(random, Verbs, 4)} {Some(random, ["core", "krate.a5c.ai", "krate.a5c.ai", "*"], 2)} {Some(random, ["pods", "repositories", "issues", "pods/log", "*/log", "repositories/status", "*/status", "*"], 2)}{(random.Next(2) == 0 ? " " + Some(random, ["a", "b", "c"], 2) : "")}"),
    ];

    private static string[] Subjects(Random random) =>
        [.. Enumerable.Range(0, random.Next(0, 4)).Select(_ => Pick(random, ["User/mira", "User/noor", "User/system:serviceaccount:acme:bot", "Group/devs", "Group/ops", "Group/system:authenticated", "ServiceAccount/acme:bot", "ServiceAccount/beta:bot"]))];

    private static Actor Actor(Random random) => new(Pick(random, Users), [.. Groups.Where(_ => random.Next(2) == 0)]);

    private static AccessRequest Request(Random random) => random.Next(5) == 0
        ? new() { Verb = Pick(random, Verbs), Path = Pick(random, Paths) }
        : new() { Verb = Pick(random, Verbs), Group = Pick(random, ApiGroups), Resource = Pick(random, Resources), Subresource = Pick(random, Subresources), Namespace = Pick(random, ["", .. Namespaces]), Name = Pick(random, Names) };

    /// <summary>Written from the documentation of Kubernetes, not from the code under test.</summary>
    private static class Naive
    {
        public static bool Allows(IEnumerable<Resource> all, Actor actor, AccessRequest request)
        {
            foreach (var binding in all.Where(r => r.Kind.Kind is "ClusterRoleBinding" || (r.Kind.Kind is "RoleBinding" && request.Path is null && r.Namespace == request.Namespace)))
            {
                if (!Strings(binding.Body["subjects"] as JsonArray, s => Names(s, actor)).Any()) continue;
                var kind = (string)binding.Body["roleRef"]!["kind"]!;
                var ns = kind == "Role" ? binding.Namespace : "";
                var role = all.FirstOrDefault(r => r.Kind.Kind == kind && r.Namespace == ns && r.Name == (string)binding.Body["roleRef"]!["name"]!);
                if (role is null || (kind == "Role" && ns == "")) continue;
                foreach (var rule in ((JsonArray)role.Body["rules"]!).Cast<JsonObject>())
                    if (Allows(rule, request)) return true;
            }

            return false;
        }

        private static IEnumerable<JsonNode> Strings(JsonArray? subjects, Func<JsonNode, bool> which) => (subjects ?? []).Select(s => s!).Where(which);

        private static bool Names(JsonNode subject, Actor actor) => (string)subject["kind"]! switch
        {
            "User" => (string)subject["name"]! == actor.User,
            "Group" => actor.Groups.Contains((string)subject["name"]!),
            _ => $"system:serviceaccount:{subject["namespace"]}:{subject["name"]}" == actor.User,
        };

        private static bool Allows(JsonObject rule, AccessRequest request)
        {
            List<string> List(string field) => rule[field] is JsonArray a ? [.. a.Select(x => (string)x!)] : [];
            if (!List("verbs").Any(v => v == "*" || v == request.Verb)) return false;
            if (request.Path is not null)
                return List("nonResourceURLs").Any(u => u == request.Path || (u[^1] == '*' && request.Path.StartsWith(u.Replace("*", "", StringComparison.Ordinal), StringComparison.Ordinal)));
            if (!List("apiGroups").Any(g => g == "*" || g == request.Group)) return false;
            if (!List("resources").Any(r => Matches(r, request))) return false;
            var names = List("resourceNames");
            return names.Count == 0 || names.Contains(request.Name);
        }

        private static bool Matches(string listed, AccessRequest request)
        {
            if (listed == "*") return true;
            var (resource, sub) = listed.Contains('/', StringComparison.Ordinal) ? (listed.Split('/')[0], listed.Split('/')[1]) : (listed, "");
            return sub == request.Subresource && (resource == request.Resource || (resource == "*" && sub.Length > 0));
        }
    }
}
