using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Core.Store;
using Microsoft.Extensions.DependencyInjection;

namespace Krate.Core.Runs;

public static class RunServices
{
    /// <summary>Logs of jobs. Needs <see cref="DataDirectory"/> and <see cref="TimeProvider"/>.</summary>
    public static IServiceCollection AddKrateRuns(this IServiceCollection services, LogLimits limits) => services
        .AddSingleton<LogFiles>()
        .AddSingleton(p => new LogSweep(p.GetRequiredService<LogFiles>(), p.GetRequiredService<KindCatalog>(), p.GetRequiredService<TimeProvider>()))
        .AddSingleton<ISweep>(p => p.GetRequiredService<LogSweep>())
        .AddSingleton(p => new JobLogs(p.GetRequiredService<LogFiles>(), p.GetRequiredService<SecretVault>(), limits, p.GetRequiredService<TimeProvider>()));
}
