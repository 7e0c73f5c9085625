using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Agents;
using Krate.Core.Context;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Core.Sessions;
using Krate.Tests.Testing;
using Krate.Web.Features.AgentRuns;
using Xunit;

namespace Krate.Tests.Dispatch;

/// <summary>What an agent said is kept without secrets before anybody sees it, in one order for all.</summary>
public sealed class SessionTests : IDisposable
{
    private const string Secret = "a-secret-that-nobody-may-read-77";
    private static readonly Resource Attempt = new(KindTable.Catalog["AgentDispatchAttempt"], KrateJson.ParseObject("""{"metadata":{"name":"ada-1","namespace":"krate-org-acme","uid":"u-1"}}"""));
    private readonly TempData data = new();
    private readonly SessionFiles files;
    private readonly SessionLogs logs;

    public SessionTests()
    {
        files = new(data.Directory);
        logs = new(files, TimeProvider.System);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => data.Dispose();

    [Fact]
    public async Task Whoever_follows_sees_every_event_once_in_one_order_however_late_they_begin()
    {
        var followers = Enumerable.Range(0, 50).Select(_ => AllAsync(0)).ToList();
        await RecordAsync([.. Enumerable.Range(0, 3000).Select(n => new AgentEvent(AgentEventTypes.Notice, new() { ["message"] = $"{n}" })), Ended]);
        foreach (var seen in await Task.WhenAll(followers.Append(AllAsync(0)))) Assert.Equal(Enumerable.Range(1, 3001).Select(n => (long)n), seen.Select(e => e.Sequence));
        var late = await AllAsync(2990);
        Assert.Equal((2991, "ended"), ((int)late[0].Sequence, late[^1].Type));
        Assert.Equal("2990", late[0].Data.Text("message"));
    }

    [Fact]
    public async Task A_secret_is_in_no_byte_that_is_kept_also_when_it_is_cut_into_two_pieces()
    {
        await RecordAsync(
        [
            Said("The key is " + Secret[..9]), Said(Secret[9..] + " and done.\n"), Said("sk-ant-"), Said("abcdefghijklmnopqrstuvwxyz0123456789 "),
            new(AgentEventTypes.ToolCall, new() { ["toolCallId"] = "t", ["rawOutput"] = new JsonObject { ["stdout"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(Secret)) } }), Said("the end"), Ended,
        ]);
        var kept = await File.ReadAllTextAsync(files.PathOf(Attempt), Ct);
        foreach (var piece in new[] { Secret, Secret[9..], Convert.ToBase64String(Encoding.UTF8.GetBytes(Secret)), "abcdefghijklmnopqrstuvwxyz" }) Assert.DoesNotContain(piece, kept, StringComparison.Ordinal);
        var text = string.Concat(logs.Read(Attempt, 0).Where(e => e.Type == AgentEventTypes.Message).Select(e => e.Data.Text("text")));
        Assert.Equal("The key is [REDACTED:secret] and done.\n[REDACTED:provider-token] the end", text);
    }

    [Fact]
    public async Task What_cannot_be_redacted_is_not_kept_and_whoever_writes_hears_of_it()
    {
        using var writer = logs.Open(Attempt);
        await using var recorder = new SessionRecorder(writer, _ => throw new IOException("no secrets to be had"), TimeProvider.System);
        await recorder.WriteAsync(Said("anything "), Ct);
        await Assert.ThrowsAsync<IOException>(recorder.CompleteAsync);
        Assert.Empty(logs.Read(Attempt, 0));
    }

    [Fact]
    public async Task A_line_that_a_crash_cut_goes_when_the_next_writer_opens_and_there_is_one_writer()
    {
        await RecordAsync([Said("one "), Said("two ")]);
        await File.AppendAllTextAsync(files.PathOf(Attempt), """{"sequence":99,"at":"2026""", Ct);
        var before = logs.Read(Attempt, 0).Count;
        using (var writer = logs.Open(Attempt))
        {
            Assert.Throws<IOException>(() => logs.Open(Attempt));
            await writer.AppendAsync([new(AgentEventTypes.Notice, new() { ["message"] = "again" })]);
        }

        var all = logs.Read(Attempt, 0);
        Assert.Equal((before + 1, (long)before + 1, "again"), (all.Count, all[^1].Sequence, all[^1].Data.Text("message")));
    }

    [Fact]
    public void A_transcript_joins_pieces_upserts_steps_and_keeps_what_it_does_not_know()
    {
        var model = new TranscriptModel();
        AgentEvent[] said =
        [
            Said("Hel"), Said("lo"), new(AgentEventTypes.ToolCallUpdate, new() { ["toolCallId"] = "t", ["status"] = "in_progress", ["title"] = "Run" }), new(AgentEventTypes.ToolCall, new() { ["toolCallId"] = "t", ["kind"] = "execute" }),
            new(AgentEventTypes.ToolCallUpdate, new() { ["toolCallId"] = "t", ["status"] = "completed" }), Said("Bye"), new(AgentEventTypes.Plan, new() { ["entries"] = new JsonArray("a") }), new(AgentEventTypes.Plan, new() { ["entries"] = new JsonArray("b", "c") }),
            new(AgentEventTypes.PermissionRequest, new() { ["requestId"] = "q", ["title"] = "Write" }), new(AgentEventTypes.PermissionDecision, new() { ["requestId"] = "q", ["outcome"] = "allowed" }), new("brand_new", new() { ["x"] = 1 }), Ended,
        ];
        for (var i = 0; i < said.Length; i++) model.Take(new(i + 1, DateTimeOffset.UnixEpoch, said[i].Type, said[i].Data));
        model.Take(new(3, DateTimeOffset.UnixEpoch, AgentEventTypes.Message, new() { ["text"] = "twice" }));
        Assert.Equal([TranscriptKind.Message, TranscriptKind.Tool, TranscriptKind.Message, TranscriptKind.Plan, TranscriptKind.Question, TranscriptKind.Note, TranscriptKind.End], model.Items.Select(i => i.Kind));
        Assert.Equal(("Hello", "Bye", "brand_new"), (model.Items[0].Text, model.Items[2].Text, model.Items[5].Text));
        Assert.Equal(("Run", "execute", "completed"), (model.Items[1].Data.Text("title"), model.Items[1].Data.Text("kind"), model.Items[1].Data.Text("status")));
        Assert.Equal((2, "allowed", true), (model.Items[3].Data.At("entries")!.AsArray().Count, model.Items[4].Decision!.Text("outcome"), model.IsEnded));
    }

    private static AgentEvent Ended => new(AgentEventTypes.Ended, new() { ["reason"] = "Completed" });

    private static AgentEvent Said(string text) => new(AgentEventTypes.Message, new() { ["role"] = "agent", ["messageId"] = "m", ["text"] = text });

    private async Task RecordAsync(IEnumerable<AgentEvent> events)
    {
        using var writer = logs.Open(Attempt);
        await using var recorder = new SessionRecorder(writer, _ => Task.FromResult(new Redactor(new KnownSecrets([Secret]), [])), TimeProvider.System);
        foreach (var said in events) await recorder.WriteAsync(said, Ct);
        await recorder.CompleteAsync();
    }

    private async Task<List<SessionEvent>> AllAsync(long after)
    {
        var all = new List<SessionEvent>();
        await foreach (var batch in logs.FollowAsync(Attempt, after, Ct)) all.AddRange(batch);
        return all;
    }
}
