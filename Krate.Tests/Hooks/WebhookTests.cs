using System.Diagnostics;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Core.Resources.Patching;
using Krate.Tests.Repositories;
using Krate.Tests.Work;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Krate.Tests.Hooks;

/// <summary>What happens in a repository reaches who subscribed to it: once, signed, and whatever the other side does.</summary>
[Collection(typeof(GitCollection))]
public sealed class WebhookTests(GitWorld world) : PullRequestWork(world), IAsyncLifetime
{
    private const string SecretValue = "a value that only the two of them know";
    private Receiver receiver = null!;

    private static KindDefinition Deliveries => KindTable.Catalog["WebhookDelivery"];

    public async ValueTask InitializeAsync() => receiver = await Receiver.StartAsync();

    public ValueTask DisposeAsync()
    {
        Dispose();
        return receiver.DisposeAsync();
    }

    [Fact]
    public async Task A_delivery_is_signed_so_that_openssl_agrees()
    {
        var (repository, path) = await SubscribedAsync("issue", signed: true);
        await OpenIssueAsync(repository, "Fish & chips — 5 €");

        var got = await receiver.NextAsync(path, Ct);
        Assert.Equal("sha256=" + await HmacByOpenSslAsync(got.Body), got.Signature);
        Assert.Equal(("issue", "issue", "opened", "acme", repository.Name, "mira"), (got.Event, got.Json.Text("event"), got.Json.Text("action"), got.Json.Text("org"), got.Json.Text("repository"), got.Json.Text("actor")));
        Assert.Equal((1L, $"{repository.Name}-1", "Fish & chips — 5 €"), (got.Json.Whole("resource.spec.number"), got.Json.Text("resource.metadata.name"), got.Json.Text("resource.spec.title")));
        Assert.Null(got.Json.At("resource.metadata.managedFields"));

        var delivery = await EndedAsync(got.Delivery);
        Assert.Equal(("succeeded", 204L, got.Signature), (delivery.Body.Text("status.phase"), TryOf(delivery, 0).Whole("status"), TryOf(delivery, 0).Text("signature")));
        Assert.Equal((got.Signature, delivery.Name, "application/json; charset=utf-8"), (HeaderOf("X-Krate-Signature-256"), HeaderOf("X-Krate-Delivery"), HeaderOf("Content-Type")));
        Assert.DoesNotContain(SecretValue, KrateJson.ToText(delivery.Body), StringComparison.Ordinal);
        string? HeaderOf(string name) => TryOf(delivery, 0)?["requestHeaders"]?[name]?.ToString();
    }

    [Fact]
    public async Task Each_change_is_told_once_with_who_made_it()
    {
        var (repository, path) = await SubscribedAsync("*");
        await Git.NewRepositoryAsync("work", "a.txt", "a\n");
        await Git.RunAsync("work", "push", "--quiet", World.UrlOf(repository.Name), "main");
        var issue = await OpenIssueAsync(repository, "One");
        await ActAsync("lumi", issue, "close");
        await World.Gateway.PatchAsync(World.ActorOf("mira"), issue.Kind, issue.Namespace, issue.Name, new Patch(PatchType.Merge, KrateJson.ParseObject("""{"metadata":{"labels":{"a":"b"}}}"""), "test"), new(), Ct);
        await World.Gateway.PatchAsync(World.ActorOf("mira"), issue.Kind, issue.Namespace, issue.Name, new Patch(PatchType.Merge, KrateJson.ParseObject("""{"spec":{"title":"Two"}}"""), "test"), new(), Ct);
        await ActAsync("mira", issue, "reopen");
        await CreateAsync("Comment", "lumi", new() { ["targetRef"] = new JsonObject { ["kind"] = "Issue", ["name"] = issue.Name }, ["body"] = "Hello" });
        await World.Gateway.DeleteAsync(GitWorld.Admin, issue.Kind, issue.Namespace, issue.Name, new(), Ct);

        var told = new List<(string, string, string)>();
        for (var i = 0; i < 7; i++) told.Add(await receiver.NextAsync(path, Ct) is var got ? (got.Event, got.Json.Text("action")!, got.Json.Text("actor")!) : default);
        Assert.Equal(
            [("comment", "created", "lumi"), ("issue", "closed", "lumi"), ("issue", "deleted", GitWorld.Admin.User), ("issue", "edited", "mira"), ("issue", "opened", "mira"), ("issue", "reopened", "mira"), ("push", "created", GitWorld.Admin.User)],
            told.Order());
        Assert.Equal(7, (await AllAsync(repository)).Count);
    }

    [Fact]
    public async Task Each_of_several_subscribers_is_told_of_a_push()
    {
        var (repository, path) = await SubscribedAsync("push");
        var second = new JsonObject { ["repository"] = repository.Name, ["url"] = receiver.UrlOf("second"), ["events"] = new JsonArray("*") };
        await World.CreateAsync("WebhookSubscription", GitWorld.Namespace, repository.Name + "-second", second);
        await Git.NewRepositoryAsync("work", "a.txt", "a\n");
        await Git.RunAsync("work", "push", "--quiet", World.UrlOf(repository.Name), "main");

        var (one, other) = (await receiver.NextAsync(path, Ct), await receiver.NextAsync("second", Ct));
        Assert.Equal(("refs/heads/main", "refs/heads/main"), (one.Json.Text("resource.ref"), other.Json.Text("resource.ref")));
        Assert.NotEqual(one.Delivery, other.Delivery);
    }

    [Fact]
    public async Task An_answer_that_holds_the_secret_is_not_kept_and_not_a_reason_to_send_again()
    {
        var (repository, path) = await SubscribedAsync("issue", signed: true);
        receiver.Answers[path] = c => c.Response.WriteAsync($"got it, {SecretValue}", c.RequestAborted);
        await OpenIssueAsync(repository, "One");
        var ended = await EndedAsync((await receiver.NextAsync(path, Ct)).Delivery);
        Assert.Equal(("succeeded", 200L, null), (ended.Body.Text("status.phase"), TryOf(ended, 0).Whole("status"), TryOf(ended, 0).Text("excerpt")));
        Assert.Equal(0, receiver.Waiting(path));
    }

    [Fact]
    public async Task What_holds_a_secret_that_was_made_since_is_given_up_and_not_replayed()
    {
        var (repository, path) = await SubscribedAsync("issue", retry: """{"maxAttempts":100,"initialDelay":"50ms","maxDelay":"50ms"}""");
        receiver.Answers[path] = c => { c.Response.StatusCode = 500; return Task.CompletedTask; };
        const string Later = "a value that becomes a secret only later";
        await OpenIssueAsync(repository, Later);
        var delivery = (await receiver.NextAsync(path, Ct)).Delivery;

        var secret = new JsonObject { ["metadata"] = new JsonObject { ["name"] = path + "-later" }, ["stringData"] = new JsonObject { ["key"] = Later } };
        await World.Gateway.CreateAsync(GitWorld.Admin, KindTable.Catalog["Secret"], GitWorld.Namespace, secret, new(), Ct);
        var given = await World.UntilAsync("WebhookDelivery", GitWorld.Namespace, delivery, d => d is null || RunPhase.IsTerminal(d.Body.Text("status.phase")));
        if (given is not null)
        {
            Assert.Equal("$.resource.spec.title of the payload holds the value of a Secret; nothing was sent", ((JsonArray)given.Body.At("status.attempts")!)[^1].Text("error"));
            var refused = await Assert.ThrowsAsync<ApiException>(() => World.Gateway.ActAsync(World.ActorOf("max"), Deliveries, GitWorld.Namespace, delivery, "replay", null, Ct));
            Assert.Equal(422, refused.Code);
        }

        await World.Gateway.DeleteAsync(GitWorld.Admin, KindTable.Catalog["Secret"], GitWorld.Namespace, path + "-later", new(), Ct);
    }

    [Fact]
    public async Task A_very_long_issue_is_told_by_its_beginning()
    {
        var (repository, path) = await SubscribedAsync("issue");
        await CreateAsync("Issue", "mira", new() { ["repository"] = repository.Name, ["title"] = "Long", ["body"] = string.Concat(Enumerable.Repeat("line\n", 52_000)) });
        var got = await receiver.NextAsync(path, Ct);
        Assert.Equal((true, "Long", 16 << 10), (got.Json.Flag("truncated"), got.Json.Text("resource.spec.title"), got.Json.Text("resource.spec.body")!.Length));
        Assert.Equal("succeeded", (await EndedAsync(got.Delivery)).Body.Text("status.phase"));
    }

    [Fact]
    public async Task Receivers_that_hang_do_not_hold_up_one_that_answers()
    {
        var (repository, path) = await SubscribedAsync("issue");
        const int Many = 6;
        var hanging = 0;
        var all = new TaskCompletionSource();
        receiver.Answers["hang"] = async c =>
        {
            if (Interlocked.Increment(ref hanging) == Many) all.TrySetResult();
            await Task.Delay(Timeout.Infinite, c.RequestAborted).ContinueWith(_ => Interlocked.Decrement(ref hanging), TaskScheduler.Default);
        };
        for (var i = 0; i < Many; i++)
            await World.CreateAsync("WebhookSubscription", GitWorld.Namespace, $"{repository.Name}-hang-{i}", new() { ["repository"] = repository.Name, ["url"] = receiver.UrlOf("hang"), ["events"] = new JsonArray("comment"), ["retryPolicy"] = new JsonObject { ["maxAttempts"] = 1 } });
        var issue = await OpenIssueAsync(repository, "One");
        Assert.Equal("issue", (await receiver.NextAsync(path, Ct)).Event);
        await CreateAsync("Comment", "lumi", new() { ["targetRef"] = new JsonObject { ["kind"] = "Issue", ["name"] = issue.Name }, ["body"] = "Hello" });
        await all.Task.WaitAsync(Ct);
        await OpenIssueAsync(repository, "Two");
        Assert.Equal("issue", (await receiver.NextAsync(path, Ct)).Event);
        Assert.Equal(Many, Volatile.Read(ref hanging));
        for (var i = 0; i < Many; i++) await World.Gateway.DeleteAsync(GitWorld.Admin, KindTable.Catalog["WebhookSubscription"], GitWorld.Namespace, $"{repository.Name}-hang-{i}", new(), Ct);
    }

    [Fact]
    public async Task Proposals_reviews_and_runs_are_told_too_and_only_those_who_see_the_repository_read_the_deliveries()
    {
        var repository = await PushedAsync();
        await World.CreateAsync("WebhookSubscription", GitWorld.Namespace, repository.Name + "-all", new() { ["repository"] = repository.Name, ["url"] = receiver.UrlOf(repository.Name), ["events"] = new JsonArray("pull_request", "review", "pipeline", "job") });
        var pull = await OpenAsync(repository, "mira");
        await ReviewAsync(pull, "lumi", "approved");
        await MergeAsync(pull, "max");
        var pipeline = await World.CreateAsync("Pipeline", GitWorld.Namespace, repository.Name + "-run", new() { ["repository"] = repository.Name, ["ref"] = "refs/heads/main" });
        var job = await World.CreateAsync("Job", GitWorld.Namespace, repository.Name + "-job", new() { ["pipeline"] = pipeline.Name, ["step"] = "test" });
        foreach (var action in (string[])["start", "finish"]) await World.Gateway.ActAsync(GitWorld.Admin, job.Kind, job.Namespace, job.Name, action, action == "start" ? null : new() { ["exitCode"] = 1 }, Ct);
        await World.Gateway.ActAsync(GitWorld.Admin, pipeline.Kind, pipeline.Namespace, pipeline.Name, "finish", null, Ct);

        string[] wanted = ["job completed", "job queued", "job started", "pipeline completed", "pipeline queued", "pull_request merged", "pull_request opened", "review submitted"];
        var told = new SortedSet<string>(StringComparer.Ordinal);
        while (!wanted.All(told.Contains)) told.Add(await receiver.NextAsync(repository.Name, Ct) is var got ? $"{got.Event} {got.Json.Text("action")}" : "");
        Assert.Subset(new SortedSet<string>([.. wanted, "pipeline started"], StringComparer.Ordinal), told);
        Assert.NotEmpty(await AllAsync(repository));
        var seen = await World.Gateway.ListAsync(World.ActorOf("max"), Deliveries, GitWorld.Namespace, new ListOptions { Labels = Selector.Parse($"{WellKnown.RepositoryLabel}={repository.Name}") }, Ct);
        Assert.NotEmpty(seen.Items);
        await Assert.ThrowsAsync<ApiException>(() => World.Gateway.ListAsync(World.ActorOf("oskar"), Deliveries, GitWorld.Namespace, new ListOptions(), Ct));
    }

    [Fact]
    public async Task What_is_refused_or_tried_only_is_told_to_nobody()
    {
        var (repository, _) = await SubscribedAsync("issue");
        await Assert.ThrowsAsync<ApiException>(() => CreateAsync("Issue", "oskar", new() { ["repository"] = repository.Name, ["title"] = "No right" }));
        await Assert.ThrowsAsync<ApiException>(() => CreateAsync("Issue", "mira", new() { ["repository"] = repository.Name }));
        await World.Gateway.CreateAsync(World.ActorOf("mira"), KindTable.Catalog["Issue"], GitWorld.Namespace, Document(new() { ["repository"] = repository.Name, ["title"] = "Dry" }), new() { DryRun = true }, Ct);
        Assert.Empty(await AllAsync(repository));
    }

    [Fact]
    public async Task A_failed_delivery_is_tried_again_under_its_name_until_it_is_given_up_and_can_be_replayed()
    {
        var (repository, path) = await SubscribedAsync("issue", retry: """{"maxAttempts":2,"initialDelay":"10ms"}""");
        receiver.Answers[path] = c => { c.Response.StatusCode = 500; return c.Response.WriteAsync("out of order\u0007", c.RequestAborted); };
        await OpenIssueAsync(repository, "One");

        var (first, second) = (await receiver.NextAsync(path, Ct), await receiver.NextAsync(path, Ct));
        Assert.Equal((first.Delivery, Convert.ToHexString(first.Body)), (second.Delivery, Convert.ToHexString(second.Body)));
        var failed = await EndedAsync(first.Delivery);
        Assert.Equal(("failed", 500L, "it answers with 500", "out of order\u0007"), (failed.Body.Text("status.phase"), TryOf(failed, 1).Whole("status"), TryOf(failed, 1).Text("error"), TryOf(failed, 1).Text("excerpt")));

        receiver.Answers.TryRemove(path, out _);
        var replay = new Resource(Deliveries, await World.Gateway.ActAsync(World.ActorOf("max"), Deliveries, failed.Namespace, failed.Name, "replay", null, Ct));
        var third = await receiver.NextAsync(path, Ct);
        Assert.Equal((replay.Name, Convert.ToHexString(first.Body), failed.Name), (third.Delivery, Convert.ToHexString(third.Body), replay.Body.Text("spec.replayOf")));
        Assert.Equal("succeeded", (await EndedAsync(replay.Name)).Body.Text("status.phase"));
        Assert.Equal("failed", (await EndedAsync(failed.Name)).Body.Text("status.phase"));
    }

    [Theory]
    [InlineData("redirect", "it answers with a redirect, which is not followed; name its target")]
    [InlineData("endless", null)]
    [InlineData("early", "")]
    [InlineData("garbage", null)]
    public async Task Whatever_the_other_side_does_is_bounded_and_said(string behaviour, string? error)
    {
        var (repository, path) = await SubscribedAsync("issue", retry: """{"maxAttempts":1}""");
        receiver.Answers[path] = behaviour switch
        {
            "redirect" => c => { c.Response.Redirect($"http://127.0.0.1:{receiver.Port}/elsewhere"); return Task.CompletedTask; },
            "endless" => async c => { while (!c.RequestAborted.IsCancellationRequested) await c.Response.Body.WriteAsync(new byte[1 << 16], c.RequestAborted); },
            "early" => c => { c.Abort(); return Task.CompletedTask; },
            _ => async c => await c.Response.Body.WriteAsync(new byte[] { 0, 255, 254, 27, 0 }, c.RequestAborted),
        };
        await OpenIssueAsync(repository, "One");
        var ended = await EndedAsync((await receiver.NextAsync(path, Ct)).Delivery);
        Assert.Equal(error is null ? "succeeded" : "failed", ended.Body.Text("status.phase"));
        if (error is { Length: > 0 }) Assert.Equal(error, TryOf(ended, 0).Text("error"));
        Assert.Equal(0, receiver.Waiting("elsewhere"));
        if (behaviour == "endless") Assert.Equal(1024, TryOf(ended, 0).Text("excerpt")!.Length);
    }

    [Theory]
    [InlineData("http://127.0.0.1:{0}/x")]
    [InlineData("http://[::ffff:127.0.0.1]:{0}/x")]
    [InlineData("http://169.254.169.254/latest")]
    [InlineData("http://2130706433:{0}/x")]
    public async Task Krate_is_not_sent_to_addresses_that_only_it_can_reach(string url)
    {
        var (repository, _) = await SubscribedAsync("issue", retry: """{"maxAttempts":1}""", url: string.Format(System.Globalization.CultureInfo.InvariantCulture, url, receiver.Port));
        await OpenIssueAsync(repository, "One");
        var only = Assert.Single(await AllAsync(repository));
        var ended = await EndedAsync(only.Name);
        Assert.Equal("failed", ended.Body.Text("status.phase"));
        Assert.Contains("loopback, link-local, private or reserved", TryOf(ended, 0).Text("error"), StringComparison.Ordinal);
        Assert.Equal(0, receiver.Waiting("x"));
    }

    [Fact]
    public async Task Without_its_secret_nothing_is_sent_and_the_subscription_says_why()
    {
        var (repository, path) = await SubscribedAsync("issue", signed: true, retry: """{"maxAttempts":1}""");
        await World.Gateway.DeleteAsync(GitWorld.Admin, KindTable.Catalog["Secret"], GitWorld.Namespace, path, new(), Ct);
        await OpenIssueAsync(repository, "One");
        var ended = await EndedAsync(Assert.Single(await AllAsync(repository)).Name);
        Assert.Equal($"the Secret {path} has no key secret to sign with", TryOf(ended, 0).Text("error"));
        Assert.Equal(0, receiver.Waiting(path));
        var subscription = await World.UntilAsync("WebhookSubscription", GitWorld.Namespace, path, s => s?.FindCondition(Condition.Ready)?.Reason == "DeliveryFailed");
        Assert.Contains("has no key", subscription!.FindCondition(Condition.Ready)!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_test_is_sent_at_once_and_an_inactive_subscription_gets_nothing()
    {
        var (repository, path) = await SubscribedAsync("issue");
        var subscriptions = KindTable.Catalog["WebhookSubscription"];
        await World.Gateway.ActAsync(World.ActorOf("max"), subscriptions, GitWorld.Namespace, path, "test", null, Ct);
        Assert.Equal("ping", (await receiver.NextAsync(path, Ct)).Event);

        await World.Gateway.PatchAsync(GitWorld.Admin, subscriptions, GitWorld.Namespace, path, new Patch(PatchType.Merge, KrateJson.ParseObject("""{"spec":{"active":false}}"""), "test"), new(), Ct);
        await OpenIssueAsync(repository, "One");
        Assert.Single(await AllAsync(repository));
        var refused = await Assert.ThrowsAsync<ApiException>(() => World.Gateway.ActAsync(World.ActorOf("max"), subscriptions, GitWorld.Namespace, path, "test", null, Ct));
        Assert.Equal((409, true), (refused.Code, refused.Message.Contains("set spec.active to true", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Who_may_not_see_every_repository_subscribes_to_named_ones_and_makes_no_deliveries()
    {
        await World.NewRepositoryAsync("internal");
        await BindMaintainerAsync();
        var spec = new JsonObject { ["url"] = receiver.UrlOf("all"), ["events"] = new JsonArray("*") };
        var refused = await Assert.ThrowsAsync<ApiException>(() => World.CreateAsync("WebhookSubscription", GitWorld.Namespace, "all", spec, World.ActorOf("max")));
        Assert.Equal((403, true), (refused.Code, refused.Message.Contains("name one in spec.repository", StringComparison.Ordinal)));
        var forged = await Assert.ThrowsAsync<ApiException>(() => World.Gateway.CreateAsync(GitWorld.Admin, Deliveries, GitWorld.Namespace, Document(new() { ["subscription"] = "x", ["eventType"] = "push" }), new(), Ct));
        Assert.Equal(403, forged.Code);
    }

    /// <summary>A repository, and a subscription to it; its name is the path that it sends to.</summary>
    private async Task<(Resource Repository, string Path)> SubscribedAsync(string events, bool signed = false, string? retry = null, string? url = null)
    {
        var repository = await World.NewRepositoryAsync("internal");
        await BindMaintainerAsync();
        var name = repository.Name + "-hook";
        var spec = new JsonObject { ["repository"] = repository.Name, ["url"] = url ?? receiver.UrlOf(name), ["events"] = new JsonArray(events) };
        if (retry is not null) spec["retryPolicy"] = KrateJson.ParseObject(retry).Copy();
        if (signed)
        {
            await World.Gateway.CreateAsync(GitWorld.Admin, KindTable.Catalog["Secret"], GitWorld.Namespace, new() { ["metadata"] = new JsonObject { ["name"] = name }, ["stringData"] = new JsonObject { ["secret"] = SecretValue } }, new(), Ct);
            spec["secretRef"] = new JsonObject { ["name"] = name, ["key"] = "secret" };
        }

        await World.Gateway.CreateAsync(World.ActorOf("max"), KindTable.Catalog["WebhookSubscription"], GitWorld.Namespace, new() { ["metadata"] = new JsonObject { ["name"] = name }, ["spec"] = spec }, new(), Ct);
        return (repository, name);
    }

    private Task<Resource> OpenIssueAsync(Resource repository, string title) => CreateAsync("Issue", "mira", new() { ["repository"] = repository.Name, ["title"] = title });

    private Task<Resource> CreateAsync(string kind, string user, JsonObject spec) => World.Gateway.CreateAsync(World.ActorOf(user), KindTable.Catalog[kind], GitWorld.Namespace, Document(spec), new(), Ct);

    private Task<JsonObject> ActAsync(string user, Resource target, string action) => World.Gateway.ActAsync(World.ActorOf(user), target.Kind, target.Namespace, target.Name, action, null, Ct);

    private async Task<IReadOnlyList<Resource>> AllAsync(Resource repository) =>
        (await World.Gateway.ListAsync(GitWorld.Admin, Deliveries, GitWorld.Namespace, new ListOptions { Labels = Selector.Parse($"{WellKnown.RepositoryLabel}={repository.Name}") }, Ct)).Items;

    private async Task<Resource> EndedAsync(string delivery) => (await World.UntilAsync("WebhookDelivery", GitWorld.Namespace, delivery, d => RunPhase.IsTerminal(d?.Body.Text("status.phase"))))!;

    private static JsonNode? TryOf(Resource delivery, int index) => delivery.Body.At("status.attempts") is JsonArray tries && index < tries.Count ? tries[index] : null;

    private static JsonObject Document(JsonObject spec) => new() { ["metadata"] = new JsonObject(), ["spec"] = spec };

    private static async Task<string> HmacByOpenSslAsync(byte[] body)
    {
        using var openssl = Process.Start(new ProcessStartInfo("openssl", ["dgst", "-sha256", "-hmac", SecretValue]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        await openssl.StandardInput.BaseStream.WriteAsync(body, Ct);
        openssl.StandardInput.Close();
        var line = await openssl.StandardOutput.ReadToEndAsync(Ct);
        return line.Trim().Split(' ')[^1];
    }
}
