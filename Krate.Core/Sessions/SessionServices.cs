using Krate.Core.Store;
using Microsoft.Extensions.DependencyInjection;

namespace Krate.Core.Sessions;

public static class SessionServices
{
    /// <summary>What is kept of sessions. Needs <see cref="DataDirectory"/> and <see cref="TimeProvider"/>.</summary>
    public static IServiceCollection AddKrateSessions(this IServiceCollection services) => services
        .AddSingleton<SessionFiles>()
        .AddSingleton(p => new SessionLogs(p.GetRequiredService<SessionFiles>(), p.GetRequiredService<TimeProvider>()));
}
