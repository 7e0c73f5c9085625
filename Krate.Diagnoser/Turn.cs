using Krate.Core.Agents;

namespace Krate.Diagnoser;

/// <summary>One prompt, from its logs to the diagnosis.</summary>
internal sealed class Turn(Prompt prompt, Workspace workspace, SessionUpdates updates, TimeProvider time, string? artifacts)
{
    private static readonly TimeSpan ReadWithin = TimeSpan.FromSeconds(90);
    private readonly List<string> notes = [];
    private FileTree? tree;

    public async Task RunAsync(CancellationToken ct)
    {
        await updates.PlanAsync(0);
        var found = new List<Diagnosis>();
        foreach (var source in prompt.Logs)
            if (await ReadAsync(source, ct) is { } log) found.Add(await DiagnoseAsync(source, log, ct));
        if (prompt.Logs.Count == 0) notes.Add("The prompt has no log: nothing was diagnosed.");
        await updates.PlanAsync(4);
        var report = new Report(AcpAgent.Version, found, notes);
        if (await Artifacts.WriteAsync(artifacts, report, time.GetUtcNow(), ct) is { } problem) notes.Add(problem);
        ct.ThrowIfCancellationRequested();
        await updates.SayAsync(ReportText.Of(report, time.GetUtcNow()));
        await updates.PlanAsync(5);
    }

    private async Task<Log?> ReadAsync(LogSource source, CancellationToken ct)
    {
        var name = ForeignText.Line(source.Name, 200);
        var call = await updates.BeginAsync($"Read log {name}", "read");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(ReadWithin);
        try
        {
            // Off the thread that reads messages, for a long log is work.
            var log = await Task.Run(() => LogOfAsync(source, limit.Token), limit.Token);
            await updates.EndAsync(call, true, log.IsCut ? $"{log.LineCount} lines; looked at the beginning, what is around errors, and the end." : $"{log.LineCount} lines.");
            await updates.PlanAsync(1);
            return log;
        }
        catch (Exception e) when (e is IOException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            var why = e is IOException ? ForeignText.Line(e.Message, 200) : $"it takes longer than {ReadWithin.TotalSeconds:0} s";
            notes.Add($"The log was not read: {why}.");
            await updates.EndAsync(call, false, notes[^1]);
            return null;
        }
    }

    private async Task<Log> LogOfAsync(LogSource source, CancellationToken ct)
    {
        if (source.Text is not null) return await LogReader.ReadAsync(source.Text, ct);
        await using var file = await workspace.OpenAsync(source.Path!, ct);
        return await LogReader.ReadAsync(file, ct);
    }

    private async Task<Diagnosis> DiagnoseAsync(LogSource source, Log log, CancellationToken ct)
    {
        tree ??= workspace.ReadTree(ct);
        var diagnosis = LogDiagnosis.Diagnose(source.Name, log, tree, prompt.Of(source));
        await updates.PlanAsync(2);
        var call = await updates.BeginAsync("Look for the file", "search");
        if (diagnosis.Place is not { } place)
        {
            await updates.EndAsync(call, true, diagnosis.NoPlace ?? "");
            return diagnosis;
        }

        await updates.EndAsync(call, true, place.Line is { } line ? $"{place.Path}:{line}" : place.Path, Path.Combine(workspace.Root, place.Path), place.Line);
        await updates.PlanAsync(3);
        return place.Line is { } number ? await WithHistoryAsync(diagnosis, place.Path, number, ct) : diagnosis;
    }

    private async Task<Diagnosis> WithHistoryAsync(Diagnosis diagnosis, string path, int line, CancellationToken ct)
    {
        var call = await updates.BeginAsync($"Blame {path}:{line}", "read");
        var (lines, blame, missing) = await HistoryOfAsync(path, line, ct);
        await updates.EndAsync(call, true, blame is null ? missing ?? "" : $"{blame.Commit[..12]} {blame.Author}: {blame.Subject}", Path.Combine(workspace.Root, path), line);
        return diagnosis with { Code = lines, Blame = blame, NoBlame = missing };
    }

    private async Task<(IReadOnlyList<ShownLine> Lines, Blame? Blame, string? Missing)> HistoryOfAsync(string path, int line, CancellationToken ct)
    {
        IReadOnlyList<ShownLine> lines = [];
        try
        {
            (lines, var own) = await workspace.LinesAroundAsync(path, line, ct);
            if (own is null) return (lines, null, "The file has no such line now.");
            var (history, missing) = await History.OpenAsync(workspace, ct);
            if (history is null) return (lines, null, missing);
            using (history)
            {
                (var blame, missing) = await history.BlameAsync(path, line, own, ct);
                return (lines, blame, missing);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (lines, null, $"The file was not read: {ForeignText.Line(e.Message, 200)}.");
        }
    }
}
