using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Tests.Kinds;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Repositories;

/// <summary>
/// A private repository with a word that is nowhere else in everything that belongs to it: refs, files, commits, and one resource of
/// each kind that has a repository. lumi reads it.
/// </summary>
internal sealed class Planted
{
    /// <summary>The repository's name, and the beginning of every other name and text in it.</summary>
    public static readonly string Token = "planted" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));

    /// <summary>In a question: the id of a commit.</summary>
    public const string CommitMark = "@commit@";

    private static readonly string Absent = "missing" + Token["planted".Length..];
    private static readonly string AbsentCommit = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(20));
    private static readonly SemaphoreSlim Once = new(1);
    private static Planted? made;
    private readonly Dictionary<string, JsonObject> documents = [];
    private readonly Dictionary<string, string> names = new() { ["Repository"] = Token };
    private readonly GitWorld world;

    private Planted(GitWorld world) => this.world = world;

    /// <summary>Kinds whose resources may belong to a repository or tell of one.</summary>
    public static IReadOnlyList<KindDefinition> Kinds { get; } = [.. KindTable.All.Where(k => RepositoryScope.AppliesTo(k) || k.Kind is "Role" or "RoleBinding")];

    public Resource Repository { get; private set; } = null!;

    public string Commit { get; private set; } = "";

    /// <summary>What nobody may read who may not see the repository.</summary>
    public IReadOnlyList<string> Words => [Token, Commit, Repository.Uid];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<Planted> InAsync(GitWorld world, GitClient git)
    {
        await Once.WaitAsync(Ct);
        try
        {
            if (made is not null) return made;
            var planted = new Planted(world);
            await planted.FillAsync(git);
            return made = planted;
        }
        finally
        {
            Once.Release();
        }
    }

    /// <summary>A resource of the kind that belongs to the repository; null for kinds that have none.</summary>
    public JsonObject? DocumentOf(KindDefinition kind) => documents.GetValueOrDefault(kind.Kind);

    public string Here(string question) => question.Replace(CommitMark, Commit, StringComparison.Ordinal);

    /// <summary>The same question or answer about what is not there.</summary>
    public string Elsewhere(string text) => text.Replace(Token, Absent, StringComparison.Ordinal).Replace(CommitMark, AbsentCommit, StringComparison.Ordinal).Replace(Commit, AbsentCommit, StringComparison.Ordinal);

    private async Task FillAsync(GitClient git)
    {
        Repository = await world.CreateAsync("Repository", GitWorld.Namespace, Token, new() { ["visibility"] = "private", ["description"] = Token + " description" });
        Repository = (await world.UntilAsync("Repository", GitWorld.Namespace, Token, GitWorld.IsReady))!;
        documents["Repository"] = Repository.Edit();
        await world.PermitAsync(Repository, "lumi", "read");
        await git.NewRepositoryAsync("planted", "README.md", $"# {Token}\n");
        Commit = await git.CommitAsync("planted", Token + ".md", Token + " content\n", Token + " message");
        await git.RunAsync("planted", "branch", Token + "-branch");
        await git.RunAsync("planted", "tag", "-a", "-m", Token, Token + "-tag");
        await git.RunAsync("planted", "push", "--quiet", "--all", world.UrlOf(Token));
        await git.RunAsync("planted", "push", "--quiet", "--tags", world.UrlOf(Token));
        foreach (var kind in Kinds.Where(k => k.RepositoryPath is not null && k.Kind != "Repository")) await PlantAsync(kind);
        foreach (var kind in (string[])["Role", "RoleBinding"]) documents[kind] = (await world.FindAsync(kind, GitWorld.Namespace, $"krate-repository-{Token}-read"))!.Edit();
        await PlantEventAsync();
        var audit = await world.Gateway.ListAsync(GitWorld.Admin, KindTable.Catalog["AuditEvent"], GitWorld.Namespace, new ListOptions { Limit = 500 }, Ct);
        documents["AuditEvent"] = audit.Items.First(e => e.Body.Text("spec.target.repository") == Token).Edit();
    }

    private async Task PlantEventAsync()
    {
        var document = KrateJson.ParseObject($$"""{"metadata":{"name":"{{Token}}.event","labels":{"{{WellKnown.RepositoryLabel}}":"{{Token}}"} },"involvedObject":{"apiVersion":"{{WellKnown.GroupVersion}}","kind":"Repository","name":"{{Token}}","namespace":"{{GitWorld.Namespace}}"},"type":"Warning","reason":"Test","message":"{{Token}} message"}""");
        documents["Event"] = (await world.Gateway.CreateAsync(PrivilegedAccess.Controller("test", "planted"), KindTable.Catalog["Event"], GitWorld.Namespace, document, new(), Ct)).Edit();
    }

    /// <returns>Name of a resource of the kind; one that belongs to the repository if the kind can.</returns>
    private async Task<string> PlantAsync(KindDefinition kind)
    {
        if (names.TryGetValue(kind.Kind, out var there)) return there;
        var isOf = kind.RepositoryPath is not null;
        var document = Samples.Of(kind);
        document.Child("metadata")["name"] = isOf ? $"{Token}-{kind.Kind.ToLowerInvariant()}" : "open-" + kind.Kind.ToLowerInvariant();
        if (isOf) await PointAsync(kind, document);
        foreach (var reference in kind.References.Where(r => r.KindField is null && r.Path != kind.RepositoryPath))
            foreach (var (_, value) in FieldPath.Find(document, reference.Path).ToList())
                if (value is JsonValue) value.ReplaceWith(JsonValue.Create(await PlantAsync(KindTable.Catalog[reference.TargetKind])));
        if (isOf) Reword(document["spec"]!);
        if (kind.Kind == "PullRequest") document.Set("spec.targetRef", "main");
        if (kind.IsProduct) document.Set("spec.organizationRef", "acme");
        var created = await world.Gateway.CreateAsync(PrivilegedAccess.Controller("test", "planted"), kind, GitWorld.Namespace, document, new(), Ct);
        Assert.Equal(isOf ? Token : null, created.Label(WellKnown.RepositoryLabel));
        if (isOf) documents[kind.Kind] = Bare(created);
        return names[kind.Kind] = created.Name;
    }

    /// <summary>Makes a document belong to the repository, by itself or by what it refers to.</summary>
    private async Task PointAsync(KindDefinition kind, JsonObject document)
    {
        var path = kind.RepositoryPath!;
        if (document.At(path) is JsonObject named)
        {
            named["kind"] = "Issue";
            named["name"] = await PlantAsync(KindTable.Catalog["Issue"]);
            return;
        }

        var target = kind.References.FirstOrDefault(r => r.Path == path)?.TargetKind ?? "Repository";
        document.Set(path, target == "Repository" ? Token : await PlantAsync(KindTable.Catalog[target]));
    }

    private static void Reword(JsonNode node)
    {
        switch (node)
        {
            case JsonObject o:
                if (o["refs"] is JsonArray) o["refs"] = new JsonArray($"refs/heads/{Token}-branch");
                foreach (var value in o.Select(p => p.Value).OfType<JsonNode>().ToList()) Reword(value);
                break;
            case JsonArray list:
                foreach (var value in list.OfType<JsonNode>().ToList()) Reword(value);
                break;
            case JsonValue text when text.TryGetValue<string>(out var s) && s == "sample":
                text.ReplaceWith(JsonValue.Create(Token + "-word"));
                break;
        }
    }

    private static JsonObject Bare(Resource resource) => new()
    {
        ["apiVersion"] = resource.Kind.ApiVersion,
        ["kind"] = resource.Kind.Kind,
        ["metadata"] = new JsonObject { ["name"] = resource.Name, ["namespace"] = resource.Namespace },
        ["spec"] = resource.Body["spec"]?.DeepClone(),
    };
}
