using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using Krate.Core.Identity;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Hosting;

/// <summary>What stands before every endpoint: hosts, origins, credentials, impersonation, headers, limits.</summary>
public sealed class RequestTests(RequestTests.Running running) : IClassFixture<RequestTests.Running>
{
    private const string WhoAmI = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private KrateServer Krate => running.Krate;

    [Fact]
    public async Task The_kubeconfig_is_private_and_names_the_https_address_and_our_authority()
    {
        var text = await File.ReadAllTextAsync(Krate.Kubeconfig, Ct);

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Krate.Kubeconfig));
        var kubeconfig = Yaml.ParseObject(text);
        Assert.Equal($"https://127.0.0.1:{Krate.Https.Port}", kubeconfig["clusters"]![0].Text("cluster.server"));
        var authority = Convert.FromBase64String(kubeconfig["clusters"]![0].Text("cluster.certificate-authority-data")!);
        Assert.StartsWith("-----BEGIN CERTIFICATE-----", System.Text.Encoding.ASCII.GetString(authority), StringComparison.Ordinal);
        var me = await WhoAsync(Krate.NewClient(kubeconfig["users"]![0].Text("user.token")));
        Assert.Equal("krate-admin", me.Text("status.userInfo.username"));
        Assert.Contains("system:masters", me.Texts("status.userInfo.groups"));
    }

    [Theory]
    [InlineData("evil.example", HttpStatusCode.MisdirectedRequest)]
    [InlineData("127.0.0.1.evil.example:PORT", HttpStatusCode.MisdirectedRequest)]
    [InlineData("localhost:1", HttpStatusCode.MisdirectedRequest)]
    [InlineData("localhost", HttpStatusCode.MisdirectedRequest)]
    [InlineData("localhost:PORT", HttpStatusCode.OK)]
    [InlineData("LOCALHOST:PORT", HttpStatusCode.OK)]
    [InlineData("[::1]:PORT", HttpStatusCode.OK)]
    [InlineData("krate.internal", HttpStatusCode.OK)]
    public async Task Only_names_of_this_machine_with_the_port_are_answered(string host, HttpStatusCode expected)
    {
        using var client = Krate.NewClient(http: true);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/healthz");
        request.Headers.Host = host.Replace("PORT", Krate.Http.Port.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);

        Assert.Equal(expected, (await client.SendAsync(request, Ct)).StatusCode);
    }

    [Theory]
    [InlineData("Bearer rubbish")]
    [InlineData("Bearer ")]
    [InlineData("Basic a3JhdGU6dG9rZW4=")]
    [InlineData("Negotiate abc")]
    public async Task A_credential_that_is_not_good_is_refused_everywhere_and_never_taken_for_nobody(string authorization)
    {
        using var client = Krate.NewClient();
        client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", authorization);

        var api = await client.GetAsync(new Uri("/version", UriKind.Relative), Ct);
        Assert.Equal(HttpStatusCode.Unauthorized, api.StatusCode);
        Assert.Equal(("Status", "Unauthorized"), ((await Body(api)).Text("kind"), (await Body(api)).Text("reason")));
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync(new Uri("/signin", UriKind.Relative), Ct)).StatusCode);
    }

    [Fact]
    public async Task A_token_is_accepted_over_http_on_this_machine()
    {
        var me = await WhoAsync(Krate.NewClient(Krate.AdminToken, http: true));

        Assert.Equal("krate-admin", me.Text("status.userInfo.username"));
    }

    [Fact]
    public async Task Nobody_may_take_another_name_without_the_right_to_it()
    {
        var mallory = Krate.NewClient(Krate.Service<TokenIssuer>().MintUser("mallory").Token);

        var refused = await SendWhoAsync(mallory, ("Impersonate-User", "mira"));

        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Contains("cannot impersonate resource \"users\"", (await Body(refused)).Text("message"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.BadRequest, (await SendWhoAsync(Krate.Admin, ("Impersonate-Group", "g"))).StatusCode);
        var audit = await Krate.Admin.GetFromJsonAsync<JsonObject>($"/apis/{WellKnown.GroupVersion}/auditevents?limit=50", Ct);
        Assert.Contains(audit!["items"]!.AsArray(), e => e.Text("spec.actor.name") == "mallory" && e.Text("spec.decision") == "Denied"
            && e.Text("spec.metadata.kubectl") == "kubectl auth can-i impersonate users/mira");
    }

    [Fact]
    public async Task An_administrator_acts_as_somebody_with_exactly_the_groups_that_were_asked_for()
    {
        var person = await Body(await SendWhoAsync(Krate.Admin, ("Impersonate-User", "mira"), ("Impersonate-Group", "a"), ("Impersonate-Uid", "u1")));
        var account = await Body(await SendWhoAsync(Krate.Admin, ("Impersonate-User", "system:serviceaccount:acme:runner")));

        Assert.Equal(["a", "system:authenticated"], person.Texts("status.userInfo.groups"));
        Assert.Equal(("mira", "u1"), (person.Text("status.userInfo.username"), person.Text("status.userInfo.uid")));
        Assert.Equal(["system:serviceaccounts", "system:serviceaccounts:acme", "system:authenticated"], account.Texts("status.userInfo.groups"));
    }

    [Theory]
    [InlineData("https://evil.example")]
    [InlineData("http://127.0.0.1:1")]
    [InlineData(null)]
    public async Task A_web_socket_of_another_site_or_of_nowhere_is_refused(string? origin)
    {
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        if (origin is not null) socket.Options.SetRequestHeader("Origin", origin);

        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(new Uri($"ws://127.0.0.1:{Krate.Http.Port}/_blazor"), Ct));

        Assert.Equal(HttpStatusCode.Forbidden, socket.HttpStatusCode);
    }

    [Fact]
    public async Task Every_answer_has_the_protecting_headers_and_a_fresh_nonce()
    {
        var first = await Krate.NewClient(http: true).GetAsync(new Uri("/signin", UriKind.Relative), Ct);
        var second = await Krate.NewClient(http: true).GetAsync(new Uri("/signin", UriKind.Relative), Ct);

        var policy = first.Headers.GetValues("Content-Security-Policy").First();
        Assert.Contains("default-src 'self'; script-src 'self' 'nonce-", policy, StringComparison.Ordinal);
        Assert.Contains("object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.NotEqual(policy, second.Headers.GetValues("Content-Security-Policy").First());
        Assert.Equal("nosniff", first.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("same-origin", first.Headers.GetValues("Referrer-Policy").Single());
        Assert.False(first.Headers.Contains("Server"));
    }

    [Theory]
    [InlineData("build-42.a_b", true)]
    [InlineData("two words", false)]
    [InlineData("<script>", false)]
    public async Task The_correlation_id_of_the_client_is_kept_when_it_is_a_plain_word(string id, bool kept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/healthz");
        request.Headers.TryAddWithoutValidation("X-Request-Id", id);

        var answer = (await Krate.Admin.SendAsync(request, Ct)).Headers.GetValues("X-Correlation-Id").Single();

        Assert.Equal(kept, answer == id);
        Assert.NotEmpty(answer);
    }

    [Fact]
    public async Task Health_metrics_and_discovery_answer_without_a_credential()
    {
        using var client = Krate.NewClient(http: true);

        Assert.Equal("ok", await client.GetStringAsync("/healthz", Ct));
        Assert.Contains("[+]store ok", await client.GetStringAsync("/readyz?verbose", Ct), StringComparison.Ordinal);
        Assert.Contains("http_server_request_duration_seconds", await client.GetStringAsync("/metrics", Ct), StringComparison.Ordinal);
        var discovery = await client.GetFromJsonAsync<JsonObject>("/.well-known/openid-configuration", Ct);
        Assert.EndsWith("/openid/v1/jwks", discovery.Text("jwks_uri"), StringComparison.Ordinal);
        var keys = await client.GetFromJsonAsync<JsonObject>("/openid/v1/jwks", Ct);
        Assert.Equal("ES256", keys!["keys"]![0].Text("alg"));
    }

    [Fact]
    public async Task Open_pages_are_bounded_by_address()
    {
        await using var strict = await KrateServer.StartAsync(args: ["--Krate:Limits:CircuitsPerAddress=1"]);
        using var first = Socket(strict);
        using var second = Socket(strict);
        var hub = new Uri($"ws://127.0.0.1:{strict.Http.Port}/_blazor");

        await first.ConnectAsync(hub, Ct);
        await Assert.ThrowsAsync<WebSocketException>(() => second.ConnectAsync(hub, Ct));
        Assert.Equal(HttpStatusCode.TooManyRequests, second.HttpStatusCode);

        static ClientWebSocket Socket(KrateServer krate)
        {
            var socket = new ClientWebSocket();
            socket.Options.CollectHttpResponseDetails = true;
            socket.Options.SetRequestHeader("Origin", $"http://127.0.0.1:{krate.Http.Port}");
            return socket;
        }
    }

    [Fact]
    public async Task Minting_tokens_is_slowed_down()
    {
        await using var strict = await KrateServer.StartAsync(args: ["--Krate:Limits:TokensPerMinute=1"]);
        const string mint = "/api/v1/namespaces/default/serviceaccounts/none/token";

        Assert.Equal(HttpStatusCode.NotFound, (await strict.Admin.PostAsJsonAsync(mint, new JsonObject(), Ct)).StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await strict.Admin.PostAsJsonAsync(mint, new JsonObject(), Ct)).StatusCode);
    }

    [Fact]
    public async Task The_issuer_and_its_tokens_outlive_a_change_of_ports()
    {
        var data = Directory.CreateTempSubdirectory("krate-test-").FullName;
        string token, issuer;
        await using (var before = await KrateServer.StartAsync(data)) (token, issuer) = (before.AdminToken, before.Service<IdentityOptions>().Issuer);

        await using (var after = await KrateServer.StartAsync(data))
        {
            Assert.Equal(issuer, after.Service<IdentityOptions>().Issuer);
            Assert.Equal("krate-admin", (await WhoAsync(after.NewClient(token))).Text("status.userInfo.username"));
        }

        Directory.Delete(data, recursive: true);
    }

    private static async Task<JsonObject> WhoAsync(HttpClient client) => await Body(await SendWhoAsync(client));

    private static Task<HttpResponseMessage> SendWhoAsync(HttpClient client, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, WhoAmI)
        {
            Content = new StringContent("""{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}""", MediaTypeHeaderValue.Parse("application/json")),
        };
        foreach (var (name, value) in headers) request.Headers.Add(name, value);
        return client.SendAsync(request, Ct);
    }

    private static async Task<JsonObject> Body(HttpResponseMessage answer) => KrateJson.ParseObject(await answer.Content.ReadAsStringAsync(Ct));

    public sealed class Running : IAsyncLifetime
    {
        public KrateServer Krate { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Krate = await KrateServer.StartAsync(args: ["--Krate:AllowedHosts=krate.internal"]);
            await Krate.Admin.PostAsJsonAsync(
                $"/apis/{WellKnown.GroupVersion}/namespaces/krate-system/users",
                JsonNode.Parse("""{"apiVersion":"krate.a5c.ai/v1alpha1","kind":"User","metadata":{"name":"mallory"},"spec":{"displayName":"Mallory","email":"mallory@example.com"}}"""));
        }

        public ValueTask DisposeAsync() => Krate.DisposeAsync();
    }
}
