namespace Krate.Core.Agents;

/// <summary>A folder of the machine, as a program in its sandbox sees it.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Inside">Where the program finds it.</param>
public sealed record SandboxFolder(string Path, string Inside, bool IsWritable);

/// <summary>What a session with an agent begins with.</summary>
public sealed record AgentLaunch
{
    /// <summary>Where an agent finds the files that it works on.</summary>
    public const string WorkspaceInside = "/workspace";

    /// <summary>Where an agent puts what is to be kept of its work; <see cref="ArtifactsVariable"/> says so.</summary>
    public const string ArtifactsInside = "/artifacts";

    public const string ArtifactsVariable = "KRATE_ARTIFACTS";

    public required AdapterLaunch Adapter { get; init; }

    /// <summary>Folder that it works in; null for an empty one.</summary>
    public string? Workspace { get; init; }

    public bool MayWrite { get; init; }

    /// <summary>Further folders that it sees: git objects that the workspace borrows.</summary>
    public IReadOnlyList<SandboxFolder> Folders { get; init; } = [];

    /// <summary>Empty folder for what it leaves.</summary>
    public string? Artifacts { get; init; }

    /// <summary>Folder that it keeps its own things in, from one start to the next; null for one that goes with it.</summary>
    public string? Home { get; init; }

    /// <summary>Session of before that it takes up, by its own name for it; null for a new one. Needs the <see cref="Home"/> of then.</summary>
    public string? Resume { get; init; }

    /// <summary>Its way out; null for none at all.</summary>
    public AgentNetwork? Network { get; init; }

    /// <summary>The model that it uses; null for what it does without being told.</summary>
    public AgentModel? Model { get; init; }

    /// <summary>All of its environment, beside PATH, HOME and what <see cref="Network"/> and <see cref="Model"/> need.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();
}

/// <summary>What becomes of a step that an agent asks for.</summary>
public enum PermissionOutcome
{
    /// <summary>This once.</summary>
    Allowed,

    Rejected,

    /// <summary>Nobody decided: the turn is given up.</summary>
    Cancelled,
}

/// <summary>
/// A conversation with an agent that runs. Disposing ends the agent with everything that it started. Events have one reader; everything else is
/// thread-safe.
/// </summary>
public interface IAgentSession : IAsyncDisposable
{
    /// <summary>The agent's own name for the session.</summary>
    string Id { get; }

    AgentCapabilities Capabilities { get; }

    /// <summary>In order; while they are not read, the agent waits. They end when the agent has ended; the last <see cref="AgentEventTypes.Error"/> says how, when it was not asked to.</summary>
    IAsyncEnumerable<AgentEvent> Events { get; }

    /// <summary>One turn. All events of the turn have been given out before the answer.</summary>
    /// <returns>Why the turn ended, in the words of the protocol (<c>end_turn</c>, <c>cancelled</c>, <c>refusal</c>, <c>max_tokens</c>, <c>max_turn_requests</c>).</returns>
    /// <exception cref="AgentEndedException">It ended, or failed.</exception>
    Task<string> PromptAsync(IReadOnlyList<string> blocks, CancellationToken ct);

    /// <summary>Answers a <see cref="AgentEventTypes.PermissionRequest"/>; the first answer counts.</summary>
    Task DecideAsync(string requestId, PermissionOutcome outcome, CancellationToken ct);

    /// <summary>Asks it to stop what it does; the turn then ends as <c>cancelled</c>, if it obeys.</summary>
    Task CancelAsync(CancellationToken ct);
}

/// <summary>An agent that ended, failed or broke the protocol in the middle of its work. The message is fit to be shown, once it is redacted.</summary>
public sealed class AgentEndedException(string message, Exception? inner = null) : Exception(message, inner);
