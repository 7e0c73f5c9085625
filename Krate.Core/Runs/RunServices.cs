using Krate.Core.Store;
using Microsoft.Extensions.DependencyInjection;

namespace Krate.Core.Runs;

public static class RunServices
{
    /// <summary>Logs of jobs. Needs <see cref="DataDirectory"/> and <see cref="TimeProvider"/>.</summary>
    public static IServiceCollection AddKrateRuns(this IServiceCollection services, LogLimits limits) => services
        .AddSingleton<LogFiles>()
        .AddSingleton(p => new JobLogs(p.GetRequiredService<LogFiles>(), limits, p.GetRequiredService<TimeProvider>()));
}
