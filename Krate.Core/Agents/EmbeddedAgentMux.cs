using System.Globalization;

namespace Krate.Core.Agents;

/// <summary>Agents as child processes that speak the Agent Client Protocol: JSON-RPC, one message a line, on standard input and output.</summary>
internal sealed class EmbeddedAgentMux(AgentProcesses processes, AgentOptions options) : IAgentMux
{
    public const int ProtocolVersion = 1;
    private const string NoProxy = "127.0.0.1,localhost";
    private const long MostHandshake = 1L << 20, MostSession = 1L << 30;

    public async Task<AgentCapabilities> CapabilitiesAsync(AdapterLaunch adapter, CancellationToken ct)
    {
        await using var session = new AcpSession(await StartAsync(() => processes.StartAsync(CommandOf(adapter), MostHandshake, ct)));
        return await HandshakeAsync(session, session.InitializeAsync, ct);
    }

    public async Task<IAgentSession> LaunchAsync(AgentLaunch launch, CancellationToken ct)
    {
        var settings = AgentSettings.For(launch.Adapter.Type, launch.Model);
        var files = SettingsFiles.Write(settings.Files);
        AcpSession? session = null;
        try
        {
            session = new AcpSession(await StartAsync(() => processes.LaunchAsync(CommandOf(launch, settings, files), MostSession)), files);
            return await HandshakeAsync(
                session,
                async limit =>
                {
                    await session.InitializeAsync(limit);
                    if (settings.SignIn is { } way) await session.SignInAsync(way, limit);
                    await session.OpenAsync(launch.Workspace is null ? AgentSandbox.Home : AgentLaunch.WorkspaceInside, launch.Resume, EntryOf(launch.Adapter).AskingMode, limit);
                    return session;
                },
                ct);
        }
        catch
        {
            if (session is null) files.Dispose();
            else await session.DisposeAsync();
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

    private static AgentCommand CommandOf(AgentLaunch launch, AgentSettings settings, SettingsFiles files)
    {
        List<SandboxFolder> folders = [.. launch.Folders];
        if (launch.Home is { } home) folders.Add(new(home, AgentSandbox.Home, IsWritable: true));
        folders.AddRange(files.Bound);
        // Krate's own agent asks nobody for anything.
        var network = EntryOf(launch.Adapter).IsShipped ? null : launch.Network;
        var environment = new Dictionary<string, string>(settings.Environment, StringComparer.Ordinal);
        if (network is not null)
            (environment["HTTPS_PROXY"], environment["https_proxy"], environment["NO_PROXY"], environment["no_proxy"]) = (AgentNetwork.Url, AgentNetwork.Url, NoProxy, NoProxy);
        foreach (var (name, value) in launch.Environment) environment[name] = value;
        if (launch.Workspace is { } workspace) folders.Add(new(workspace, AgentLaunch.WorkspaceInside, launch.MayWrite));
        if (launch.Artifacts is { } artifacts)
        {
            folders.Add(new(artifacts, AgentLaunch.ArtifactsInside, IsWritable: true));
            environment[AgentLaunch.ArtifactsVariable] = AgentLaunch.ArtifactsInside;
        }

        return CommandOf(launch.Adapter) with { Environment = environment, Folders = folders, Network = network, WorkingFolder = launch.Workspace is null ? AgentSandbox.Home : AgentLaunch.WorkspaceInside };
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

/// <summary>Configuration of an agent, as files that it reads and cannot change. Disposing takes them away.</summary>
internal sealed class SettingsFiles : IDisposable
{
    private readonly string? folder;

    private SettingsFiles(string? folder, IReadOnlyList<SandboxFolder> bound) => (this.folder, Bound) = (folder, bound);

    public IReadOnlyList<SandboxFolder> Bound { get; }

    public static SettingsFiles Write(IReadOnlyDictionary<string, string> files)
    {
        if (files.Count == 0) return new(null, []);
        var folder = Directory.CreateTempSubdirectory("krate-agent-").FullName;
        var bound = files.Select((f, i) => (Path: Path.Combine(folder, i.ToString(CultureInfo.InvariantCulture)), Inside: f.Key, Text: f.Value)).ToList();
        foreach (var file in bound) File.WriteAllText(file.Path, file.Text);
        return new(folder, [.. bound.Select(f => new SandboxFolder(f.Path, f.Inside, IsWritable: false))]);
    }

    public void Dispose()
    {
        if (folder is not null && Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }
}
