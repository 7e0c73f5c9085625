using System.Text.Json;
using Krate.Core.Resources;

namespace Krate.Diagnoser;

/// <summary>Files of a report, where the host of the agent wants them.</summary>
internal static class Artifacts
{
    /// <summary>Environment variable that names the folder.</summary>
    public const string Variable = "KRATE_ARTIFACTS";

    private static readonly JsonSerializerOptions Indented = new(KrateJson.Options) { WriteIndented = true };

    /// <summary>Whole files or none: each takes its name when it is complete.</summary>
    /// <returns>Why nothing was written; null when it was, or nobody wants it.</returns>
    public static async Task<string?> WriteAsync(string? folder, Report report, DateTimeOffset now, CancellationToken ct)
    {
        if (string.IsNullOrEmpty(folder)) return null;
        try
        {
            await PutAsync(folder, "diagnosis.md", ReportText.Of(report, now), ct);
            await PutAsync(folder, "diagnosis.json", report.ToJson().ToJsonString(Indented) + "\n", ct);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"No files were written: {Variable} names no folder that may be written.";
        }
    }

    private static async Task PutAsync(string folder, string name, string text, CancellationToken ct)
    {
        var made = Path.Combine(folder, $".{name}.{Guid.NewGuid():N}");
        try
        {
            await File.WriteAllTextAsync(made, text, ct);
            File.Move(made, Path.Combine(folder, name), overwrite: true);
        }
        catch
        {
            File.Delete(made);
            throw;
        }
    }
}
