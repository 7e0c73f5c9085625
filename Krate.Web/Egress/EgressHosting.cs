using Krate.Core.Agents;

namespace Krate.Web.Egress;

internal static class EgressHosting
{
    /// <summary>The way out for agents; <see cref="Krate.Core.Outbound.OutboundGuard"/> is registered elsewhere.</summary>
    public static IServiceCollection AddKrateEgress(this IServiceCollection services)
    {
        services.AddHttpForwarder();
        return services.AddSingleton<IEgress, EgressGates>();
    }
}
