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

    public string CloneUrl(string org, string repository) => $"{PublicUrl}/git/{org}/{repository}.git";
}
