namespace Krate.Web.Features.AgentRuns;

/// <summary>The address of a run's page, with what is open on it. Tab and panel change without each other.</summary>
/// <param name="Path">Of the page.</param>
/// <param name="Tab">transcript, changes or yaml.</param>
/// <param name="Rail">Panel of the rail; null until somebody has chosen one.</param>
/// <param name="Patch">Name of an artifact; null for the newest patch.</param>
public sealed record RunAddress(string Path, string Tab, string? Rail, string? Patch)
{
    public const string Transcript = "transcript", Changes = "changes", Yaml = "yaml";

    public string Url
    {
        get
        {
            var asked = new List<string>();
            if (Tab != Transcript) asked.Add($"tab={Tab}");
            if (Rail is { Length: > 0 }) asked.Add($"rail={Uri.EscapeDataString(Rail)}");
            if (Patch is { Length: > 0 } && Tab == Changes) asked.Add($"patch={Uri.EscapeDataString(Patch)}");
            return asked.Count == 0 ? Path : $"{Path}?{string.Join('&', asked)}";
        }
    }
}
