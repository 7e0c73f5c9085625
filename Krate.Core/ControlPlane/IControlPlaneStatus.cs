namespace Krate.Core.ControlPlane;

/// <summary>Where one loop of the control plane stands.</summary>
public enum LoopState
{
    /// <summary>Not yet known whether this process leads; the database may be unreachable.</summary>
    Starting,

    /// <summary>Another process leads.</summary>
    StandingBy,

    /// <summary>This process leads and has seen every key once.</summary>
    Running,

    Stopped,
}

/// <summary>For readiness and the health page. Thread-safe.</summary>
public interface IControlPlaneStatus
{
    /// <summary>Every loop runs here or stands by for a leader elsewhere: what <c>/readyz</c> asks.</summary>
    bool IsReady { get; }

    /// <summary>Every loop runs in this process.</summary>
    bool IsRunning { get; }

    /// <summary>Another process leads at least one loop, and the others run here.</summary>
    bool StandingBy { get; }

    /// <summary>State by name (<c>organization</c>, <c>agent-stack</c> ...).</summary>
    IReadOnlyDictionary<string, LoopState> Loops { get; }
}
