using System.Globalization;
using System.Text.Json.Nodes;
using Krate.Core.Context;
using Krate.Core.Resources;

namespace Krate.Diagnoser;

/// <summary>A log that is to be looked at: its text, or a file of the workspace.</summary>
internal sealed record LogSource(string Name, string? Text, string? Path);

/// <summary>What a prompt gives to read (docs/diagnoser.md). Everything else in it is for agents that understand words.</summary>
/// <param name="Jobs">What is said of jobs, by their names; under the empty name what is said of whichever.</param>
internal sealed record Prompt(IReadOnlyList<LogSource> Logs, IReadOnlyDictionary<string, Breadcrumbs> Jobs)
{
    private const int MostLogs = 8;

    public static Prompt Of(JsonArray blocks)
    {
        var (logs, jobs) = (new List<LogSource>(), new Dictionary<string, Breadcrumbs>(StringComparer.Ordinal));
        foreach (var block in blocks)
        {
            switch (block.Text("type"))
            {
                case "text":
                    foreach (var data in FenceReader.Read((block.Text("text") ?? "").ReplaceLineEndings("\n"))) Read(data, logs, jobs);
                    break;
                case "resource" when block.Text("resource.text") is { } text && block.Text("resource.uri") is { } uri && IsLog(uri):
                    logs.Add(new(NameOf(uri), text, null));
                    break;
                case "resource_link" when block.Text("uri") is { } link && (block.Text("name") == "log" || IsLog(link)):
                    logs.Add(new(NameOf(link), null, PathOf(link)));
                    break;
            }
        }

        return new([.. logs.Take(MostLogs)], jobs);
    }

    public Breadcrumbs Of(LogSource log) => Jobs.GetValueOrDefault(log.Name) ?? (Jobs.Count == 1 && Logs.Count == 1 ? Jobs.Values.Single() : Breadcrumbs.None);

    private static void Read(FencedText data, List<LogSource> logs, Dictionary<string, Breadcrumbs> jobs)
    {
        var name = data.Slots.GetValueOrDefault("name") ?? "";
        if (data.Slots.GetValueOrDefault("kind") == SourceKinds.JobLog) logs.Add(new(name, data.Text, null));
        if (data.Slots.GetValueOrDefault("kind") != SourceKinds.Job) return;
        var said = data.Text.Split('\n').Select(l => l.Split(": ", 2)).Where(p => p.Length == 2).GroupBy(p => p[0]).ToDictionary(g => g.Key, g => g.First()[1], StringComparer.Ordinal);
        jobs[name] = new()
        {
            Job = name, Step = said.GetValueOrDefault("step"), Command = said.GetValueOrDefault("command"),
            ExitCode = long.TryParse(said.GetValueOrDefault("exit code"), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var code) ? code : null,
        };
    }

    private static bool IsLog(string uri) => NameOf(uri) == "log" || uri.EndsWith(".log", StringComparison.Ordinal);

    private static string NameOf(string uri) => uri[(uri.LastIndexOfAny(['/', ':']) + 1)..];

    private static string PathOf(string uri) => uri.StartsWith("file://", StringComparison.Ordinal) ? Uri.UnescapeDataString(uri[7..]) : uri;
}
