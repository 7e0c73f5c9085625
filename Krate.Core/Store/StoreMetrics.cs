using System.Diagnostics.Metrics;

namespace Krate.Core.Store;

/// <summary>The store's instruments, meter <c>Krate.Store</c>. No names of orgs, repositories or people.</summary>
internal sealed class StoreMetrics : IDisposable
{
    private readonly Meter meter = new("Krate.Store");
    private readonly Histogram<double> duration;
    private readonly Histogram<int> groups;

    public StoreMetrics(Func<long> statements, Func<int> subscribers)
    {
        duration = meter.CreateHistogram<double>("krate.store.commit.duration", "s", "From the call of a commit to its answer, queue included.");
        groups = meter.CreateHistogram<int>("krate.store.group.size", "{commit}", "Commits that shared a transaction.");
        meter.CreateObservableCounter("krate.store.statements", statements, "{statement}", "SQL statements sent.");
        meter.CreateObservableGauge("krate.store.subscribers", subscribers, "{subscriber}", "Open subscriptions of the change feed.");
    }

    public void Committed(TimeSpan took) => duration.Record(took.TotalSeconds);

    public void Grouped(int size) => groups.Record(size);

    public void Dispose() => meter.Dispose();
}
