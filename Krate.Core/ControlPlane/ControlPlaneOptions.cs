namespace Krate.Core.ControlPlane;

/// <summary>How the control plane runs; the defaults fit everything but the database in use.</summary>
public sealed record ControlPlaneOptions
{
    /// <summary>
    /// Something stronger than a lease keeps other processes away (the lock on an SQLite data directory): each lease is
    /// taken once and never renewed, so that an idle process sends no SQL.
    /// </summary>
    public bool SingleProcess { get; init; }

    /// <summary>Name of this process among those that share the database.</summary>
    public string Holder { get; init; } = $"{Environment.MachineName}-{Environment.ProcessId}-{Guid.NewGuid():N}"[..^24];

    /// <summary>How long after its last sign of life a leader is replaced.</summary>
    public TimeSpan LeaseDuration { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How often a leader renews and a stand-by tries.</summary>
    public TimeSpan RenewEvery { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Keys of one reconciler that are worked on at once.</summary>
    public int Concurrency { get; init; } = 4;

    /// <summary>How often every key is looked at again although nothing was heard of it. From memory.</summary>
    public TimeSpan Resync { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How often the janitor compacts the change log and removes old Events.</summary>
    public TimeSpan CleanEvery { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Age at which an Event goes.</summary>
    public TimeSpan EventRetention { get; init; } = TimeSpan.FromHours(1);
}
