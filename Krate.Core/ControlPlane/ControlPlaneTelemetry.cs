using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Krate.Core.ControlPlane;

/// <summary>Traces and metrics of the control plane. Labels carry loop names only, never names of organizations or people.</summary>
public static class ControlPlaneTelemetry
{
    /// <summary>Name of the activity source and of the meter.</summary>
    public const string Name = "Krate.ControlPlane";

    private static readonly Meter Meter = new(Name);
    private static readonly Counter<long> Runs = Meter.CreateCounter<long>("krate.reconcile.runs", "{run}", "Reconciles by loop and result.");
    private static readonly Histogram<double> Durations = Meter.CreateHistogram<double>("krate.reconcile.duration", "s", "Time of one reconcile.");
    private static readonly UpDownCounter<long> Leading = Meter.CreateUpDownCounter<long>("krate.controlplane.leading", "{loop}", "1 while this process leads the loop.");

    internal static ActivitySource Source { get; } = new(Name);

    /// <summary>Sets the counters of a loop to zero, so that a rate over them is right from the first failure on.</summary>
    internal static void Announce(string loop)
    {
        foreach (var result in (string[])["success", "requeue", "conflict", "failure"]) Count(loop, result, 0);
        Leading.Add(0, new KeyValuePair<string, object?>("loop", loop));
    }

    internal static void Ran(string loop, string result, TimeSpan took)
    {
        Count(loop, result, 1);
        Durations.Record(took.TotalSeconds, new KeyValuePair<string, object?>("loop", loop));
    }

    internal static void Leads(string loop, bool leads) => Leading.Add(leads ? 1 : -1, new KeyValuePair<string, object?>("loop", loop));

    private static void Count(string loop, string result, long by) => Runs.Add(by, new("loop", loop), new("result", result));
}
