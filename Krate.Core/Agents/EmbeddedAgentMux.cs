namespace Krate.Core.Agents;

/// <summary>Agents as child processes that speak the Agent Client Protocol: JSON-RPC, one message a line, on standard input and output.</summary>
internal sealed class EmbeddedAgentMux(AgentProcesses processes, AgentOptions options) : IAgentMux
{
    public const int ProtocolVersion = 1;
    private const long MostHandshake = 1L << 20, MostSession = 1L << 30;

    public async Task<AgentCapabilities> CapabilitiesAsync(AdapterLaunch adapter, CancellationToken ct)
    {
        await using var session = new AcpSession(await StartAsync(() => processes.StartAsync(CommandOf(adapter), MostHandshake, ct)));
        return await HandshakeAsync(session, session.InitializeAsync, ct);
    }

    public async Task<IAgentSession> LaunchAsync(AgentLaunch launch, CancellationToken ct)
    {
        var session = new AcpSession(await StartAsync(() => processes.LaunchAsync(CommandOf(launch), MostSession)));
        try
        {
            return await HandshakeAsync(
                session,
                async limit =>
                {
                    await session.InitializeAsync(limit);
                    await session.OpenAsync(launch.Workspace is null ? AgentSandbox.Home : AgentLaunch.WorkspaceInside, EntryOf(launch.Adapter).AskingMode, limit);
                    return session;
                },
                ct);
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    private async Task<T> HandshakeAsync<T>(AcpSession session, Func<CancellationToken, Task<T>> talk, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(options.HandshakeWithin);
        try
        {
            return await talk(limit.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new ProbeException(ProbeReasons.AdapterTimedOut, $"it gave no answer to initialize within {options.HandshakeWithin.TotalSeconds:0.#} s");
        }
        catch (AcpException e)
        {
            throw Failed(e.Message, e);
        }
        catch (IOException e)
        {
            throw Failed(await session.EndAsync(), e);
        }
    }

    private static CatalogEntry EntryOf(AdapterLaunch adapter) => AdapterCatalog.Find(adapter.Type) ?? throw Failed($"the catalog has no adapter {ForeignText.Line(adapter.Type, 100)}");

    private static AgentCommand CommandOf(AdapterLaunch adapter)
    {
        var known = EntryOf(adapter);
        var command = adapter.Command is { Length: > 0 } own ? own : known.Command ?? throw Failed("spec.command says which program to start, and is empty");
        return new(command, adapter.Arguments ?? known.Arguments);
    }

    private static AgentCommand CommandOf(AgentLaunch launch)
    {
        var folders = launch.Folders.ToList();
        var environment = new Dictionary<string, string>(launch.Environment, StringComparer.Ordinal);
        if (launch.Workspace is { } workspace) folders.Add(new(workspace, AgentLaunch.WorkspaceInside, launch.MayWrite));
        if (launch.Artifacts is { } artifacts)
        {
            folders.Add(new(artifacts, AgentLaunch.ArtifactsInside, IsWritable: true));
            environment[AgentLaunch.ArtifactsVariable] = AgentLaunch.ArtifactsInside;
        }

        return CommandOf(launch.Adapter) with { Environment = environment, Folders = folders, WorkingFolder = launch.Workspace is null ? AgentSandbox.Home : AgentLaunch.WorkspaceInside };
    }

    private static async Task<AgentProcess> StartAsync(Func<Task<AgentProcess>> start)
    {
        try
        {
            return await start();
        }
        catch (ProbeException e) when (e.Reason == ProbeReasons.CommandNotInstalled)
        {
            throw new ProbeException(ProbeReasons.AdapterNotInstalled, e.Message, e);
        }
    }

    private static ProbeException Failed(string message, Exception? inner = null) => new(ProbeReasons.AdapterHandshakeFailed, message, inner);
}
