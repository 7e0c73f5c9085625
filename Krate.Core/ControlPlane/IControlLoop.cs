using Krate.Core.Store;

namespace Krate.Core.ControlPlane;

/// <summary>One thing that the control plane does all the time, in one process at a time.</summary>
internal interface IControlLoop
{
    /// <summary>Lease, metric and log name.</summary>
    string Name { get; }

    /// <summary>Runs until cancelled, which happens when the lease is lost. May be called again later.</summary>
    /// <param name="fence">Goes into every write.</param>
    /// <param name="started">Called once everything has been seen once.</param>
    Task RunAsync(Fence fence, Action started, CancellationToken ct);
}
