using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Krate.Core.Gateway;
using Krate.Core.Git;
using Krate.Core.Resources;
using Krate.Core.Store;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Krate.Core.Repositories;

/// <summary>
/// Where git asks whether a push may go through: a Unix socket that the pre-receive hook talks to, with a token that is good for one push.
/// No answer is a refusal. Thread-safe.
/// </summary>
/// <remarks>
/// Request: lines <c>token</c>, <c>GIT_OBJECT_DIRECTORY</c>, <c>GIT_ALTERNATE_OBJECT_DIRECTORIES</c>, then git's own <c>old new ref</c> lines,
/// then the end of the stream. Answer: <c>accept</c> or <c>refuse</c>, then lines for the pusher's terminal.
/// </remarks>
public sealed class PushGate(DataDirectory data, RepositoryOptions options, IResourceCache cache, KindCatalog catalog, IPolicyLog policyLog, ILogger<PushGate> log) : IHostedService, IAsyncDisposable
{
    public const string SocketVariable = "KRATE_PUSH_SOCKET";
    public const string TokenVariable = "KRATE_PUSH_TOKEN";

    /// <summary>Seconds that the hook waits for an answer.</summary>
    public const string PatienceVariable = "KRATE_PUSH_PATIENCE";
    public const string Accept = "accept";

    /// <summary>A push of more refs than this is a mistake or an attack.</summary>
    private const int MaxUpdates = 20_000;

    /// <summary>Longest path of a Unix socket that every system takes.</summary>
    private const int MaxSocketPath = 100;
    /// <summary>So that the hook hears why, when judging took too long.</summary>
    private static readonly TimeSpan HookWaitsLonger = TimeSpan.FromSeconds(30);
    private readonly ConcurrentDictionary<string, PushSession> sessions = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource stopping = new();
    private Socket? listener;
    private string? folder;
    private Task accepting = Task.CompletedTask;

    /// <summary>Folder of the hooks that pushes run with.</summary>
    public string Hooks => Path.Combine(data.Path, "hooks");

    private string SocketPath => Path.Combine(folder!, "push.sock");

    /// <summary>Opens the gate for one push. Dispose it when git has ended.</summary>
    public PushSession Open(Actor actor, HostedRepository repository)
    {
        var session = new PushSession(actor, repository, SocketPath, options.Limits.PushAnswer + HookWaitsLonger, s => sessions.TryRemove(s.Token, out _), s => sessions.Values.All(o => o == s || o.Repository.Git.Directory != s.Repository.Git.Directory));
        sessions[session.Token] = session;
        return session;
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        WriteHook();
        folder = data.Path.Length < MaxSocketPath - "/push.sock".Length ? data.Path : Directory.CreateTempSubdirectory("krate-").FullName;
        File.Delete(SocketPath);
        listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(SocketPath));
        File.SetUnixFileMode(SocketPath, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        listener.Listen(128);
        accepting = AcceptAsync(listener, stopping.Token);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await stopping.CancelAsync();
        listener?.Dispose();
        await accepting;
    }

    public async ValueTask DisposeAsync()
    {
        if (!stopping.IsCancellationRequested) await StopAsync(CancellationToken.None);
        if (folder is not null) File.Delete(SocketPath);
        if (folder is not null && folder != data.Path) Directory.Delete(folder, recursive: true);
        stopping.Dispose();
    }

    /// <summary>The hook is Krate's own program, called without its host.</summary>
    private void WriteHook()
    {
        Directory.CreateDirectory(Hooks, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var program = Path.Combine(AppContext.BaseDirectory, "Krate.Web");
        var command = File.Exists(program) ? Quoted(program) : $"{Quoted(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")} {Quoted(program + ".dll")}";
        var hook = Path.Combine(Hooks, "pre-receive");
        PrivateFile.Replace(hook, $"#!/bin/sh\nDOTNET_gcServer=0 DOTNET_TieredPGO=0 exec {command} pre-receive\n");
        File.SetUnixFileMode(hook, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        static string Quoted(string path) => $"'{path.Replace("'", "'\\''", StringComparison.Ordinal)}'";
    }

    private async Task AcceptAsync(Socket from, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                _ = ServeAsync(await from.AcceptAsync(ct), ct);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                if (ct.IsCancellationRequested) return;
                log.LogWarning(e, "A connection of a hook could not be accepted");
            }
        }
    }

    private async Task ServeAsync(Socket socket, CancellationToken stopped)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stopped);
        patience.CancelAfter(options.Limits.PushAnswer);
        try
        {
            await using var stream = new NetworkStream(socket, ownsSocket: true);
            using var reader = new StreamReader(stream, Encoding.UTF8);
            var answer = await AnswerAsync(reader, patience.Token);
            await stream.WriteAsync(Encoding.UTF8.GetBytes(string.Join('\n', answer) + "\n"), patience.Token);
        }
        catch (Exception e)
        {
            // The connection closes without an answer, and the hook refuses.
            log.LogWarning(e, "A push could not be judged and is refused");
        }
    }

    private async Task<IReadOnlyList<string>> AnswerAsync(StreamReader reader, CancellationToken ct)
    {
        var (token, objects, alternates) = (await reader.ReadLineAsync(ct) ?? "", await reader.ReadLineAsync(ct) ?? "", await reader.ReadLineAsync(ct) ?? "");
        // Everything is read before anything is answered: a hook whose words are cut off hears no answer.
        var updates = new List<RefUpdate>();
        while (await reader.ReadLineAsync(ct) is { } line)
        {
            if (line.Split(' ', 3) is not [var old, var now, var name]) return ["refuse", "krate: git sent a line that is no ref update"];
            updates.Add(new RefUpdate(name, old, now));
            if (updates.Count > MaxUpdates) return ["refuse", $"krate: more than {MaxUpdates} refs in one push; push them in parts"];
        }

        if (!sessions.TryGetValue(token, out var session) || !session.TryUse()) return ["refuse", "krate: this push is not known here"];
        return await JudgeAsync(session, updates, Quarantine(session.Repository.Git.Directory, objects, alternates), ct);
    }

    private async Task<IReadOnlyList<string>> JudgeAsync(PushSession session, List<RefUpdate> updates, Dictionary<string, string> environment, CancellationToken ct)
    {
        var repository = session.Repository;
        var rules = RefRule.Of(cache, catalog, repository.Namespace, repository.Name);
        var facts = new GitRefFacts(repository.Git, environment);
        IReadOnlyList<Violation> violations;
        try
        {
            violations = await PushPolicy.JudgeAsync(rules, updates, RefChangeSource.Push, repository.DefaultBranch, facts, ct);
        }
        catch (Exception e) when (e is GitException or TimeoutException || (e is OperationCanceledException && !stopping.IsCancellationRequested))
        {
            log.LogWarning(e, "The rules of {Repository} could not be applied to a push", repository.Name);
            return ["refuse", "krate: the rules for these refs could not be applied, so nothing was changed; try again"];
        }

        foreach (var violation in violations)
        {
            var reason = $"{violation.Rule}: {violation.Ref}: {violation.Message}";
            await policyLog.JudgedAsync(session.Actor, repository.Resource, "push", allowed: !violation.IsEnforced, reason, ct);
        }

        if (violations.Any(v => v.IsEnforced))
            return ["refuse", .. violations.Where(v => v.IsEnforced).Select(v => $"krate: {v.Ref} was refused by {v.Rule}: {v.Message}"), "krate: nothing was changed"];
        session.Announce(updates);
        return [Accept, .. violations.Select(v => $"krate: {v.Rule} would refuse {v.Ref}: {v.Message}")];
    }

    /// <summary>git keeps the objects of a push apart until the hook has agreed.</summary>
    private static Dictionary<string, string> Quarantine(string directory, string objects, string alternates)
    {
        var home = Path.Combine(directory, "objects") + Path.DirectorySeparatorChar;
        if (objects.Length == 0) return [];
        if (!Path.GetFullPath(objects, directory).StartsWith(home, StringComparison.Ordinal)) throw new GitException("the quarantine of a push is outside its repository", -1);
        return new() { ["GIT_OBJECT_DIRECTORY"] = Path.GetFullPath(objects, directory), ["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = alternates.Length > 0 ? alternates : home.TrimEnd(Path.DirectorySeparatorChar) };
    }
}

/// <summary>One push while git runs.</summary>
public sealed class PushSession : IDisposable
{
    private readonly Action<PushSession> end;
    private readonly Func<PushSession, bool> isAlone;
    private int used;

    private readonly string socket;
    private readonly TimeSpan patience;

    internal PushSession(Actor actor, HostedRepository repository, string socket, TimeSpan patience, Action<PushSession> end, Func<PushSession, bool> isAlone)
    {
        Actor = actor;
        Repository = repository;
        this.socket = socket;
        this.patience = patience;
        this.end = end;
        this.isAlone = isAlone;
    }

    public Actor Actor { get; }

    public HostedRepository Repository { get; }

    public string Id { get; } = Ulid.NewUlid().ToString().ToLowerInvariant();

    internal string Token { get; } = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    /// <summary>What receive-pack must run with: the way to the gate, and the pusher's name for the logs of the refs.</summary>
    public IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string>
    {
        [PushGate.SocketVariable] = socket,
        [PushGate.TokenVariable] = Token,
        [PushGate.PatienceVariable] = ((int)patience.TotalSeconds).ToString(CultureInfo.InvariantCulture),
        ["GIT_COMMITTER_NAME"] = Actor.User,
        ["GIT_COMMITTER_EMAIL"] = Id + RefLedger.PushMailDomain,
    };

    /// <summary>The token is good for one question.</summary>
    internal bool TryUse() => Interlocked.Exchange(ref used, 1) == 0;

    internal void Announce(IReadOnlyList<RefUpdate> updates) => new RefLedger(Repository.Git).Announce(Id, Actor.User, updates);

    /// <summary>
    /// After git has ended: a git that a signal ended may have left objects apart that its helpers were still writing. Nothing happens
    /// while another push to the repository runs; upkeep clears those away later.
    /// </summary>
    public void ClearQuarantine()
    {
        if (!isAlone(this)) return;
        var started = Ulid.Parse(Id).Time.UtcDateTime.AddSeconds(-1);
        try
        {
            foreach (var left in Directory.EnumerateDirectories(Path.Combine(Repository.Git.Directory, "objects"), "tmp_objdir-*").Where(d => Directory.GetCreationTimeUtc(d) >= started).ToList())
                Directory.Delete(left, recursive: true);
        }
        catch (IOException)
        {
            // Somebody still writes there, or has just cleared it away.
        }
    }

    public void Dispose() => end(this);
}
