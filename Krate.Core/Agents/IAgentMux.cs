namespace Krate.Core.Agents;

/// <summary>How an adapter's agent is started.</summary>
/// <param name="Type">Entry of <see cref="AdapterCatalog"/>.</param>
/// <param name="Command">In place of the catalog's; null or empty for that.</param>
/// <param name="Arguments">In place of the catalog's; null for those.</param>
public sealed record AdapterLaunch(string Type, string? Command, IReadOnlyList<string>? Arguments);

/// <summary>Where agents run: what can be asked of all of them, however they are reached.</summary>
public interface IAgentMux
{
    /// <summary>Asks the agent what it can do, by starting it.</summary>
    /// <exception cref="ProbeException">It cannot be started, or gives no usable answer.</exception>
    Task<AgentCapabilities> CapabilitiesAsync(AdapterLaunch adapter, CancellationToken ct);

    /// <summary>Starts an agent and opens a session with it, in the mode in which it asks. The caller disposes it.</summary>
    /// <exception cref="ProbeException">It cannot be started, or will not be told to ask.</exception>
    Task<IAgentSession> LaunchAsync(AgentLaunch launch, CancellationToken ct);
}
