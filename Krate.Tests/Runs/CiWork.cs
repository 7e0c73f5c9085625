using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Core.Runs;
using Krate.Tests.Repositories;
using Xunit;

namespace Krate.Tests.Runs;

/// <summary>A CI outside of Krate: a ServiceAccount with a token, which reports over HTTP.</summary>
public abstract class CiWork(GitWorld world)
{
    private const string Ns = "/apis/krate.a5c.ai/v1alpha1/namespaces/" + GitWorld.Namespace;
    private static int made;

    protected GitWorld World { get; } = world;

    protected static KindDefinition Pipelines => KindTable.Catalog["Pipeline"];

    protected static KindDefinition Jobs => KindTable.Catalog["Job"];

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected JobLogs Logs => World.Server.Service<JobLogs>();

    /// <summary>A client of a ServiceAccount that may report on this repository, and nothing else.</summary>
    protected async Task<HttpClient> NewCiAsync(Resource repository)
    {
        var name = $"ci-{Interlocked.Increment(ref made)}";
        var account = await World.Gateway.CreateAsync(GitWorld.Admin, KindTable.Catalog["ServiceAccount"], GitWorld.Namespace, Document("ServiceAccount", name), new(), Ct);
        await BindAsync(name, "ClusterRole", "krate-ci-reporter", name);
        await World.Gateway.CreateAsync(GitWorld.Admin, KindTable.Catalog["Role"], GitWorld.Namespace, KrateJson.ParseObject($$"""
            {"metadata":{"name":"{{name}}-reads"},"rules":[{"apiGroups":["krate.a5c.ai"],"resources":["repositories"],"resourceNames":["{{repository.Name}}"],"verbs":["get"]}] }
            """), new(), Ct);
        await BindAsync(name + "-reads", "Role", name + "-reads", name);
        var token = await World.Gateway.ActAsync(GitWorld.Admin, account.Kind, account.Namespace, name, "token", null, Ct);
        return World.Server.NewClient(token.Text("status.token"));
    }

    /// <summary>Name of the ServiceAccount, and of the binding that lets it report.</summary>
    protected static string NameOf(HttpClient ci)
    {
        var payload = ci.DefaultRequestHeaders.Authorization!.Parameter!.Split('.')[1].Replace('-', '+').Replace('_', '/');
        return KrateJson.ParseObject(Convert.FromBase64String(payload.PadRight((payload.Length + 3) / 4 * 4, '='))).Text("sub")!.Split(':')[^1];
    }

    protected Task<Resource> BindAsync(string name, string roleKind, string role, string account) => World.Gateway.CreateAsync(GitWorld.Admin, KindTable.Catalog["RoleBinding"], GitWorld.Namespace, KrateJson.ParseObject($$"""
        {"metadata":{"name":"{{name}}"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"{{roleKind}}","name":"{{role}}"},"subjects":[{"kind":"ServiceAccount","namespace":"{{GitWorld.Namespace}}","name":"{{account}}" }] }
        """), new(), Ct);

    protected static async Task<Resource> NewPipelineAsync(HttpClient ci, Resource repository, string workflow = "verify", string sha = "0123456789012345678901234567890123456789", string name = "refs/heads/main") =>
        new(Pipelines, await OkAsync(ci, "pipelines", $$"""{"spec":{"repository":"{{repository.Name}}","ref":"{{name}}","sha":"{{sha}}","workflow":"{{workflow}}" } }"""));

    protected static async Task<Resource> NewJobAsync(HttpClient ci, Resource pipeline, string step = "test") =>
        new(Jobs, await OkAsync(ci, "jobs", $$"""{"spec":{"pipeline":"{{pipeline.Name}}","step":"{{step}}" } }"""));

    protected async Task<(HttpClient Ci, Resource Pipeline, Resource Job)> NewRunAsync(string visibility = "private")
    {
        var repository = await World.NewRepositoryAsync(visibility);
        var ci = await NewCiAsync(repository);
        var pipeline = await NewPipelineAsync(ci, repository);
        return (ci, pipeline, await NewJobAsync(ci, pipeline));
    }

    protected static async Task<JsonObject> OkAsync(HttpClient client, string path, string body = "{}")
    {
        var (code, text) = await PostAsync(client, path, body);
        Assert.True(code == HttpStatusCode.Created, $"{path}: {code} {text}");
        return KrateJson.ParseObject(text);
    }

    /// <returns>The message of the refusal.</returns>
    protected static async Task<string> RefusedAsync(HttpClient client, string path, int code, string body = "{}")
    {
        var (got, text) = await PostAsync(client, path, body);
        Assert.True((int)got == code, $"{path}: {got} {text}");
        return KrateJson.ParseObject(text).Text("message")!;
    }

    protected static async Task<(HttpStatusCode Code, string Text)> PostAsync(HttpClient client, string path, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await client.PostAsync(new Uri($"{Ns}/{path}", UriKind.Relative), content, Ct);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Ct));
    }

    /// <summary>Appends and gives the answer, whatever it is.</summary>
    protected static async Task<(int Code, JsonObject Answer)> AppendAsync(HttpClient client, Resource job, long offset, byte[] bytes)
    {
        using var content = new ByteArrayContent(bytes);
        using var answer = await client.PostAsync(new Uri(string.Create(CultureInfo.InvariantCulture, $"{Ns}/jobs/{job.Name}/log?offset={offset}"), UriKind.Relative), content, Ct);
        return ((int)answer.StatusCode, KrateJson.ParseObject(await answer.Content.ReadAsStringAsync(Ct)));
    }

    protected static async Task<long> AppendedAsync(HttpClient client, Resource job, long offset, string text)
    {
        var (code, answer) = await AppendAsync(client, job, offset, Encoding.UTF8.GetBytes(text));
        Assert.True(code == 201, answer.ToString());
        return answer.Whole("offset") ?? -1;
    }

    protected static Task<HttpResponseMessage> GetLogAsync(HttpClient client, Resource job, string query = "") =>
        client.GetAsync(new Uri($"{Ns}/jobs/{job.Name}/log{query}", UriKind.Relative), Ct);

    protected static async Task<string> LogAsync(HttpClient client, Resource job, string query = "")
    {
        using var answer = await GetLogAsync(client, job, query);
        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode}");
        return await answer.Content.ReadAsStringAsync(Ct);
    }

    protected async Task<Resource> UntilAsync(Resource run, Func<Resource, bool> wanted) => (await World.UntilAsync(run.Kind.Kind, run.Namespace, run.Name, r => r is not null && wanted(r)))!;

    protected async Task<Resource> NowAsync(Resource run) => (await World.FindAsync(run.Kind.Kind, run.Namespace, run.Name))!;

    protected static string PhaseOf(JsonObject run) => run.Text("status.phase") ?? "";

    private static JsonObject Document(string kind, string name) => new() { ["kind"] = kind, ["metadata"] = new JsonObject { ["name"] = name } };
}
