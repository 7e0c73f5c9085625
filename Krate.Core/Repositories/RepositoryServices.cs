using Krate.Core.Outbound;
using Krate.Core.Store;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Krate.Core.Repositories;

public static class RepositoryServices
{
    /// <summary>Everything about git repositories that is not a page or a protocol. Needs the gateway and <see cref="DataDirectory"/>.</summary>
    public static IServiceCollection AddKrateRepositories(this IServiceCollection services, RepositoryOptions options) => services
        .AddSingleton(options)
        .AddSingleton<RepositoryFiles>()
        .AddSingleton<HostedRepositories>()
        .AddSingleton<RefRecorder>()
        .AddSingleton(new OutboundOptions(options.AllowedHosts))
        .AddSingleton<OutboundGuard>()
        .AddSingleton<RepositoryImports>()
        .AddSingleton<IHostedService>(p => p.GetRequiredService<RepositoryImports>())
        .AddSingleton<RepositoryUpkeep>()
        .AddSingleton<IHostedService>(p => p.GetRequiredService<RepositoryUpkeep>())
        .AddSingleton<PushGate>()
        .AddSingleton<IHostedService>(p => p.GetRequiredService<PushGate>());
}

/// <summary>What the operator decides about git hosting.</summary>
public sealed record RepositoryOptions
{
    /// <summary>Address that clients reach Krate at, without a slash at its end (<c>https://krate.acme.example</c>).</summary>
    public required string PublicUrl { get; init; }

    /// <summary>How long a deleted repository stays in the trash folder.</summary>
    public TimeSpan TrashRetention { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Folders below which a platform administrator may import from; none unless configured.</summary>
    public IReadOnlyList<string> ImportRoots { get; init; } = [];

    /// <summary>Hosts that may be imported from although they are on a loopback, link-local or private address.</summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    public RepositoryLimits Limits { get; init; } = new();

    /// <summary>No other Krate writes to the data directory: what was there before the start is nobody's work.</summary>
    public bool IsAlone { get; init; }

    public string CloneUrl(string org, string repository) => $"{PublicUrl}/git/{org}/{repository}.git";
}

/// <summary>Bounds on what others may make of git hosting.</summary>
public sealed record RepositoryLimits
{
    /// <summary>How long the source of an import may say nothing, or next to nothing.</summary>
    public TimeSpan ImportSilence { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Most bytes that an import may bring: no file that git writes grows beyond it.</summary>
    public long ImportBytes { get; init; } = 20L << 30;

    /// <summary>Most memory of each git process of an import.</summary>
    public long ImportMemory { get; init; } = 4L << 30;

    /// <summary>How long judging a push may take.</summary>
    public TimeSpan PushAnswer { get; init; } = TimeSpan.FromMinutes(3);
}
