using System.Globalization;
using Krate.Core.Agents;
using Krate.Core.Outbound;
using Krate.Core.Resources;
using Krate.Core.Repositories;
using Krate.Core.Runs;
using Krate.Core.Store;

namespace Krate.Web.Hosting;

/// <summary>What the operations contract lets a person configure, read once at the start.</summary>
public sealed record KrateSettings(DataDirectory Data, Listeners Listeners, string? PostgreSql, bool Demo)
{
    /// <summary>URL that names this Krate in its tokens; the first start decides it unless <c>Krate:Issuer</c> says it.</summary>
    public string? Issuer { get; init; }

    /// <summary>Host names, beside the loopback ones, that a local reverse proxy may pass on.</summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>Address that git clients and browsers reach Krate at; the first plain listener on this machine, else the first one.</summary>
    public string PublicUrl { get; init; } = "";

    /// <summary>The same when it was configured; null when Krate took one of its own addresses.</summary>
    public string? OwnPublicUrl { get; init; }

    /// <summary>A sign-in provider that the first start makes an AuthProvider of; null for none.</summary>
    public OidcSettings? Oidc { get; init; }

    /// <summary>Folders below which platform administrators may import repositories from.</summary>
    public IReadOnlyList<string> ImportRoots { get; init; } = [];

    /// <summary>Hosts on addresses that are not public which Krate may be sent to all the same.</summary>
    public IReadOnlyList<string> OutboundHosts { get; init; } = [];

    /// <summary>What agents and MCP servers may be.</summary>
    public AgentOptions Agents { get; init; } = new();

    /// <summary>The mail server; null when Krate sends no mail.</summary>
    public MailOptions? Mail { get; init; }

    public RequestLimits Limits { get; init; } = new();

    /// <summary>SQLite in the data directory, unless a PostgreSQL connection string is given.</summary>
    public bool IsEmbedded => PostgreSql is null;

    /// <exception cref="StartupException">A value that cannot be used.</exception>
    public static KrateSettings From(IConfiguration configuration)
    {
        var postgres = configuration.GetConnectionString("Krate");
        var listeners = Listeners.From(configuration);
        var publicUrl = configuration["Krate:PublicUrl"] is { Length: > 0 } url ? url.TrimEnd('/') : null;
        return new(
            new DataDirectory(configuration["Krate:Data"] is { Length: > 0 } path ? path : "data"),
            listeners,
            string.IsNullOrWhiteSpace(postgres) ? null : postgres,
            configuration.GetValue("Krate:Demo", false))
        {
            Issuer = configuration["Krate:Issuer"] is { Length: > 0 } issuer ? issuer.TrimEnd('/') : null,
            AllowedHosts = List(configuration["Krate:AllowedHosts"]),
            PublicUrl = publicUrl ?? (listeners.All.FirstOrDefault(l => l is { IsHttps: false, IsLoopback: true }) ?? listeners.All[0]).ClientUrl,
            OwnPublicUrl = publicUrl,
            Oidc = OidcSettings.From(configuration.GetSection("Krate:SignIn:Oidc")),
            ImportRoots = List(configuration["Krate:Imports:Roots"]),
            OutboundHosts = List(configuration["Krate:Outbound:AllowedHosts"]),
            Agents = AgentsFrom(configuration.GetSection("Krate:Agents")),
            Mail = MailSettings.From(configuration),
            Limits = configuration.GetSection("Krate:Limits").Get<RequestLimits>() ?? new(),
        };
    }

    private static AgentOptions AgentsFrom(IConfigurationSection section)
    {
        var standard = new AgentOptions();
        var (atOnce, within) = (section["RunsAtOnce"], section["HandshakeWithin"]);
        var number = standard.RunsAtOnce;
        if (atOnce is not null && (!int.TryParse(atOnce, NumberStyles.None, CultureInfo.InvariantCulture, out number) || number is < 1 or > 1000)) throw new StartupException($"Krate:Agents:RunsAtOnce is {atOnce}; it must be a number from 1 to 1000.");
        var patience = within is null ? standard.HandshakeWithin : DurationText.Parse(within) is { Ticks: > 0 } given ? given : throw new StartupException($"Krate:Agents:HandshakeWithin is {within}; it must be a duration such as 30s.");
        return new() { AllowedCommands = List(section["AllowedCommands"]), ReadablePaths = List(section["ReadablePaths"]), RunsAtOnce = number, HandshakeWithin = patience };
    }

    private static string[] List(string? text) => text?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
}

/// <summary>An OpenID Connect provider as the operator configures it, so that a Krate that others reach can start.</summary>
public sealed record OidcSettings(string Issuer, string ClientId, string? ClientSecret)
{
    /// <exception cref="StartupException">Only a part of it is there.</exception>
    internal static OidcSettings? From(IConfigurationSection section)
    {
        if (!section.Exists()) return null;
        if (section["Issuer"] is not { Length: > 0 } issuer || section["ClientId"] is not { Length: > 0 } client)
            throw new StartupException("Krate:SignIn:Oidc needs Issuer and ClientId, and ClientSecret unless the provider knows Krate without one");
        return new(issuer, client, section["ClientSecret"] is { Length: > 0 } secret ? secret : null);
    }
}

/// <summary>Bounds against floods; generous for people, configurable under <c>Krate:Limits</c>.</summary>
public sealed record RequestLimits
{
    /// <summary>Sign-in attempts per minute and address.</summary>
    public int SignInsPerMinute { get; init; } = 60;

    /// <summary>Tokens minted per minute and user.</summary>
    public int TokensPerMinute { get; init; } = 120;

    /// <summary>Open pages (circuits) of one user.</summary>
    public int CircuitsPerUser { get; init; } = 100;

    /// <summary>Open pages (circuits) from one address.</summary>
    public int CircuitsPerAddress { get; init; } = 200;

    /// <summary>git requests of one user and address that run at once; each is a process.</summary>
    public int GitRequestsPerUser { get; init; } = 32;

    /// <summary>How long the source of an import may say nothing.</summary>
    public int ImportSilenceSeconds { get; init; } = 60;

    /// <summary>What one import may bring.</summary>
    public int ImportMegabytes { get; init; } = 20 << 10;

    /// <summary>Memory of each git process of an import.</summary>
    public int ImportMemoryMegabytes { get; init; } = 4 << 10;

    /// <summary>How long judging a push may take.</summary>
    public int PushAnswerSeconds { get; init; } = 180;

    /// <summary>Most that one append to a job's log may bring.</summary>
    public int LogChunkMegabytes { get; init; } = 8;

    /// <summary>Longest log of a job.</summary>
    public int LogMegabytes { get; init; } = 1024;

    public LogLimits OfLogs => new() { ChunkBytes = (long)LogChunkMegabytes << 20, LogBytes = (long)LogMegabytes << 20 };

    public RepositoryLimits OfRepositories => new()
    {
        ImportSilence = TimeSpan.FromSeconds(ImportSilenceSeconds),
        ImportBytes = (long)ImportMegabytes << 20,
        ImportMemory = (long)ImportMemoryMegabytes << 20,
        PushAnswer = TimeSpan.FromSeconds(PushAnswerSeconds),
    };
}
