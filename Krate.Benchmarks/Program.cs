using Krate.Benchmarks;

// dotnet run -c Release --project Krate.Benchmarks -- gateway store
var suites = new Dictionary<string, Func<Report, CancellationToken, Task>>(StringComparer.Ordinal)
{
    ["gateway"] = GatewaySuite.RunAsync,
    ["store"] = StoreSuite.RunAsync,
    ["store-create"] = (report, ct) => StoreSuite.RunAsync(report, StoreSuite.CreatesAsync, ct),
    ["store-list"] = (report, ct) => StoreSuite.RunAsync(report, StoreSuite.ListsAsync, ct),
    ["git"] = GitSuite.TransfersAsync,
    ["git-memory"] = GitSuite.MemoryAsync,
    ["git-pages"] = GitSuite.PagesAsync,
    ["pulls"] = PullSuite.RunAsync,
    ["review"] = ReviewSuite.RunAsync,
    ["runs"] = RunSuite.RunAsync,
    ["hooks"] = HookSuite.RunAsync,
    ["agents"] = AgentSuite.RunAsync,
    ["dispatch"] = DispatchSuite.RunAsync,
    ["issues"] = WorkSuite.RunAsync,
    ["store-watch"] = (report, ct) => StoreSuite.RunAsync(report, StoreSuite.WatchesAsync, ct),
};

var wanted = args.Length == 0 ? ["gateway", "store"] : args;
if (wanted.FirstOrDefault(a => !suites.ContainsKey(a)) is { } unknown)
{
    Console.Error.WriteLine($"no benchmark named {unknown}; there are: {string.Join(", ", suites.Keys)}");
    return 1;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    stop.Cancel();
};
var report = new Report(Console.Out);
foreach (var name in wanted) await suites[name](report, stop.Token);
return 0;
