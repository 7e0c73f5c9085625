namespace Krate.Core.Agents;

/// <summary>What an agent reaches beyond its sandbox: nothing but this.</summary>
public sealed record EgressRules
{
    /// <summary>Addresses that are reached by name below <see cref="AgentNetwork.Url"/>, with credentials that the agent never sees.</summary>
    public IReadOnlyList<EgressRoute> Routes { get; init; } = [];

    /// <summary>Decides each time when a connection to a host is asked for. Thread-safe; may take as long as a person does.</summary>
    public required Func<EgressRequest, CancellationToken, Task<EgressVerdict>> DecideAsync { get; init; }
}

/// <summary>An address that Krate signs in to for the agent.</summary>
/// <param name="Name">First segment of the path by which the agent reaches it.</param>
/// <param name="Target">What stands in the place of that segment: absolute, http or https.</param>
/// <param name="Headers">Headers that sign a request in; asked for each, so that a changed credential is used at once. They replace the agent's own.</param>
public sealed record EgressRoute(string Name, Uri Target, Func<CancellationToken, Task<IReadOnlyDictionary<string, string>>> Headers);

/// <summary>A connection that an agent asks for; the host is its word.</summary>
public sealed record EgressRequest(string Host, int Port);

/// <param name="Reason">For people, and for the agent.</param>
public sealed record EgressVerdict(bool IsAllowed, string Reason);

/// <summary>Opens the way out for agents.</summary>
public interface IEgress
{
    /// <summary>A way out for one agent, until it is disposed.</summary>
    Task<IEgressGate> OpenAsync(EgressRules rules, CancellationToken ct);
}

/// <summary>The way out of one agent. Disposing cuts what is connected.</summary>
public interface IEgressGate : IAsyncDisposable
{
    /// <summary>Unix socket on the host of Krate, which nobody else may open.</summary>
    string SocketPath { get; }
}

/// <summary>How an agent finds its way out.</summary>
/// <param name="SocketPath">Of its <see cref="IEgressGate"/>.</param>
public sealed record AgentNetwork(string SocketPath)
{
    /// <summary>Where the socket is inside the sandbox.</summary>
    internal const string SocketInside = "/run/krate/egress.sock";

    /// <summary>Port of the sandbox's own loopback.</summary>
    internal const int Port = 3128;

    /// <summary>Proxy for everything, and the begin of the addresses of routes.</summary>
    public const string Url = "http://127.0.0.1:3128";

    /// <summary>Address of a route.</summary>
    public static string UrlOf(string route) => $"{Url}/{route}";
}
