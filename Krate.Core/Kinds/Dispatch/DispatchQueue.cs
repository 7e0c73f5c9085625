using System.Globalization;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Dispatch;

/// <summary>How many runs there may be at the same time, and why one waits.</summary>
/// <param name="AtOnce">Slots of this installation.</param>
internal sealed record DispatchLimits(int AtOnce);

/// <param name="Waits">Null: it may start.</param>
internal sealed record QueuePlace(Resource Run, string? Reason, string? Waits);

/// <summary>
/// Whose turn it is: of the repositories with work that waits, the one with the fewest runs under way, and of its runs the oldest (spec 06). Limits are
/// those of the stack, the organization, the pool and the installation. Pure.
/// </summary>
internal static class DispatchQueue
{
    public const string Waiting = "ConcurrencyLimit";

    /// <param name="active">Runs that have a slot.</param>
    /// <param name="queued">Runs that wait for one, in any order.</param>
    /// <param name="limitsOf">Names and numbers of the limits of a run beside the installation's, with whether another run counts for them.</param>
    public static IReadOnlyList<QueuePlace> Order(IEnumerable<Resource> active, IEnumerable<Resource> queued, DispatchLimits limits, Func<Resource, IEnumerable<RunLimit>> limitsOf)
    {
        var running = active.ToList();
        var byRepository = queued.GroupBy(RepositoryOf).ToDictionary(g => g.Key, g => new Queue<Resource>(g.OrderBy(OrderOf).ThenBy(r => r.Name, StringComparer.Ordinal)));
        var places = new List<QueuePlace>();
        while (byRepository.Count > 0)
        {
            var next = byRepository.OrderBy(r => running.Count(a => RepositoryOf(a) == r.Key)).ThenBy(r => OrderOf(r.Value.Peek())).First();
            var run = next.Value.Dequeue();
            if (next.Value.Count == 0) byRepository.Remove(next.Key);
            var full = limitsOf(run).Append(new("this installation", limits.AtOnce, _ => true)).FirstOrDefault(l => running.Count(l.Counts) >= l.Most);
            places.Add(full is null ? new(run, null, null) : new(run, Waiting, string.Create(CultureInfo.InvariantCulture, $"It waits: {full.Most} {(full.Most == 1 ? "run" : "runs")} at once is the limit of {full.Of}.")));
            if (full is null) running.Add(run);
        }

        return places;
    }

    private static (string, string) RepositoryOf(Resource run) => (run.Namespace, run.Body.Text("spec.repository") ?? "");

    private static long OrderOf(Resource run) => run.Body.Whole("status.order") ?? 0;
}

/// <param name="Of">What has the limit, for people.</param>
/// <param name="Counts">Whether a run that is under way takes a place of it.</param>
internal sealed record RunLimit(string Of, long Most, Func<Resource, bool> Counts);
