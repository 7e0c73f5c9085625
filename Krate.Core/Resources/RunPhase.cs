namespace Krate.Core.Resources;

/// <summary>The one vocabulary of everything that runs (runs, attempts, pipelines, jobs).</summary>
public static class RunPhase
{
    public const string Pending = "pending";
    public const string Queued = "queued";
    public const string Running = "running";
    public const string WaitingForApproval = "waiting-for-approval";
    public const string Succeeded = "succeeded";
    public const string Failed = "failed";
    public const string Cancelled = "cancelled";

    public static bool IsTerminal(string? phase) => phase is Succeeded or Failed or Cancelled;
}
