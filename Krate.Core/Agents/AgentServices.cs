using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Krate.Core.Agents;

public static class AgentServices
{
    /// <summary>Programs that people's resources name, in their sandbox. <see cref="AgentOptions"/> may be registered before.</summary>
    public static IServiceCollection AddKrateAgents(this IServiceCollection services)
    {
        services.TryAddSingleton(new AgentOptions());
        return services
            .AddSingleton<AgentCommands>()
            .AddSingleton<AgentProcesses>()
            .AddSingleton<IAgentMux, EmbeddedAgentMux>()
            .AddSingleton<McpProbe>();
    }
}
