using System.Text.Json.Nodes;
using System.Threading.Channels;
using Krate.Core.Agents;
using Krate.Core.Context;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Sessions;

/// <summary>
/// Takes what an agent says and does, takes secrets out of it, and keeps it before anybody sees it. What may be the beginning of a secret waits for what
/// comes next. Whoever writes waits while it is behind; when it fails, whoever writes hears of it, for a session that cannot be kept must not go on.
/// </summary>
internal sealed class SessionRecorder : IAsyncDisposable
{
    private const int MostWaiting = 1024, MostAtOnce = 200, LongestEvent = 256 << 10;
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(40);
    private readonly Channel<AgentEvent> waiting = Channel.CreateBounded<AgentEvent>(new BoundedChannelOptions(MostWaiting) { SingleReader = true });
    private readonly SessionWriter writer;
    private readonly Func<CancellationToken, Task<Redactor>> redactor;
    private readonly SpokenText spoken = new();
    private readonly TimeProvider time;
    private readonly Task writing;

    /// <param name="redactor">Asked for each batch: secrets come and go while an agent works.</param>
    public SessionRecorder(SessionWriter writer, Func<CancellationToken, Task<Redactor>> redactor, TimeProvider time)
    {
        (this.writer, this.redactor, this.time) = (writer, redactor, time);
        writing = Task.Run(WriteAllAsync);
    }

    /// <summary>Sequence number of the last event that is kept.</summary>
    public long Last => writer.Last;

    /// <exception cref="IOException">It cannot be kept.</exception>
    public async Task WriteAsync(AgentEvent said, CancellationToken ct)
    {
        if (writing.IsFaulted) await writing;
        try
        {
            await waiting.Writer.WriteAsync(said, ct);
        }
        catch (ChannelClosedException)
        {
            await writing;
            throw;
        }
    }

    /// <summary>Waits until all is kept.</summary>
    /// <exception cref="IOException">It cannot be.</exception>
    public async Task CompleteAsync()
    {
        waiting.Writer.TryComplete();
        await writing;
    }

    public async ValueTask DisposeAsync()
    {
        waiting.Writer.TryComplete();
        await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        writer.Dispose();
    }

    private async Task WriteAllAsync()
    {
        try
        {
            while (await waiting.Reader.WaitToReadAsync())
            {
                var batch = new List<AgentEvent>();
                Drain(batch);
                if (!batch.Any(IsBoundary) && batch.Count < MostAtOnce)
                {
                    await Task.Delay(Gather, time);
                    Drain(batch);
                }

                await KeepAsync(batch.SelectMany(spoken.Take));
            }

            await KeepAsync(spoken.Rest());
        }
        catch (Exception e)
        {
            waiting.Writer.TryComplete(e);
            throw;
        }
    }

    private void Drain(List<AgentEvent> batch)
    {
        while (batch.Count < MostAtOnce && waiting.Reader.TryRead(out var said)) batch.Add(said);
    }

    /// <summary>What people wait for.</summary>
    private static bool IsBoundary(AgentEvent said) => said.Type is AgentEventTypes.PermissionRequest or AgentEventTypes.PermissionDecision or AgentEventTypes.Ended or AgentEventTypes.TurnEnded;

    private async Task KeepAsync(IEnumerable<AgentEvent> events)
    {
        var all = events.ToList();
        if (all.Count == 0) return;
        var clean = await redactor(CancellationToken.None);
        await writer.AppendAsync(all.Select(e => Fit(new AgentEvent(e.Type, (JsonObject)Clean(e.Data, clean)!))));
    }

    private static JsonNode? Clean(JsonNode? node, Redactor redactor) => node switch
    {
        JsonObject map => new JsonObject(map.Select(m => KeyValuePair.Create(redactor.Redact(m.Key).Text, Clean(m.Value, redactor))).DistinctBy(m => m.Key)),
        JsonArray list => new JsonArray([.. list.Select(i => Clean(i, redactor))]),
        JsonValue value when value.TryGetValue<string>(out var text) => redactor.Redact(text).Text,
        _ => node?.DeepClone(),
    };

    private static AgentEvent Fit(AgentEvent said)
    {
        if (KrateJson.ToText(said.Data).Length <= LongestEvent) return said;
        var data = said.Data.Copy();
        foreach (var field in new[] { "rawOutput", "rawInput", "content", "text", "entries" })
        {
            if (data[field] is null) continue;
            data[field] = "[too large to be kept]";
            if (KrateJson.ToText(data).Length <= LongestEvent) return said with { Data = data };
        }

        return said with { Data = new() { ["message"] = "[too large to be kept]", ["toolCallId"] = said.Data.Text("toolCallId") } };
    }
}

/// <summary>
/// Joins the pieces of a message, and holds back its last word: a secret may be cut into two pieces, and is known only as a whole. One caller.
/// </summary>
internal sealed class SpokenText
{
    /// <summary>No secret is longer than that; then it is let go.</summary>
    private const int LongestHeld = 4096;
    private AgentEvent? held;

    /// <summary>What can be told now, in order.</summary>
    public IEnumerable<AgentEvent> Take(AgentEvent said)
    {
        if (said.Type is not (AgentEventTypes.Message or AgentEventTypes.Thought))
        {
            foreach (var rest in Rest()) yield return rest;
            yield return said;
            yield break;
        }

        if (held is not null && !IsSame(held, said))
            foreach (var rest in Rest()) yield return rest;
        var text = held.TextOf() + said.TextOf();
        var end = text.Length > LongestHeld ? text.Length : text.AsSpan().LastIndexOfAny(" \t\n") + 1;
        if (end > 0) yield return With(said, text[..end]);
        held = end < text.Length ? With(said, text[end..]) : null;
    }

    public IEnumerable<AgentEvent> Rest()
    {
        if (held is not { } rest) yield break;
        held = null;
        yield return rest;
    }

    private static bool IsSame(AgentEvent a, AgentEvent b) => a.Type == b.Type && a.Data.Text("role") == b.Data.Text("role") && a.Data.Text("messageId") == b.Data.Text("messageId");

    private static AgentEvent With(AgentEvent said, string text)
    {
        var data = said.Data.Copy();
        data["text"] = text;
        return said with { Data = data };
    }
}

internal static class SpokenWords
{
    public static string TextOf(this AgentEvent? said) => said?.Data.Text("text") ?? "";
}
