using System.Diagnostics;
using System.Diagnostics.Metrics;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Krate.Web.Hosting;

/// <summary>
/// Traces and metrics. Every source and meter of Krate has a name that begins with <c>Krate</c> and is exported by that. Labels never
/// name an org, a repository or a user.
/// </summary>
public static class Telemetry
{
    public const string Name = "Krate";

    public static readonly ActivitySource Source = new(Name);

    public static readonly Meter Meter = new(Name);

    /// <summary>Prometheus text at <c>/metrics</c>; OTLP, too, when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> names a collector.</summary>
    internal static IServiceCollection AddTelemetry(this IServiceCollection services, IConfiguration configuration)
    {
        var otlp = configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is { Length: > 0 };
        services.AddOpenTelemetry()
            .ConfigureResource(r => r.AddService("krate"))
            .WithMetrics(m =>
            {
                m.AddMeter(Name, Name + ".*", "Microsoft.AspNetCore.Components.Server.Circuits").AddAspNetCoreInstrumentation().AddRuntimeInstrumentation().AddPrometheusExporter();
                if (otlp) m.AddOtlpExporter();
            })
            .WithTracing(t =>
            {
                t.AddSource(Name, Name + ".*").AddAspNetCoreInstrumentation();
                if (otlp) t.AddOtlpExporter();
            });
        return services;
    }
}
