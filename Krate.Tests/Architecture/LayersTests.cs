using System.Text.RegularExpressions;
using Xunit;

namespace Krate.Tests.Architecture;

/// <summary>Who may refer to whom (docs/architecture.md), read from the sources, so that a failure names file and line.</summary>
public sealed partial class LayersTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Krate.Core/Resources"] = [],
        ["Krate.Core/Store"] = ["Core.Resources"],
        ["Krate.Core/Gateway"] = ["Core.Resources", "Core.Store"],
        ["Krate.Core/Git"] = [],
        ["Krate.Core/Outbound"] = [],
        ["Krate.Core/Agents"] = ["Core.Resources", "Core.Store", "Core.Outbound"],
        ["Krate.Core/Context"] = ["Core.Resources", "Core.Gateway", "Core.Agents"],
        ["Krate.Core/Repositories"] = ["Core.Resources", "Core.Store", "Core.Gateway", "Core.Git", "Core.Outbound"],
        ["Krate.Core/Runs"] = ["Core.Resources", "Core.Store", "Core.Gateway"],
        ["Krate.Core/Blobs"] = ["Core.Resources", "Core.Store"],
        ["Krate.Core/Sessions"] = ["Core.Resources", "Core.Store", "Core.Gateway", "Core.Agents", "Core.Context"],
        ["Krate.Core/Workspaces"] = ["Core.Store", "Core.Git"],
        ["Krate.Core/Identity"] = ["Core.Resources", "Core.Store", "Core.Gateway"],
        ["Krate.Core/ControlPlane"] = ["Core.Resources", "Core.Store", "Core.Gateway"],
        ["Krate.Core/Kinds"] = ["Core.Resources", "Core.Store", "Core.Gateway", "Core.ControlPlane", "Core.Git", "Core.Repositories", "Core.Runs", "Core.Outbound", "Core.Agents", "Core.Context", "Core.Identity", "Core.Blobs", "Core.Sessions", "Core.Workspaces"],
        ["Krate.Core/Generation"] = ["Core.Resources", "Core.Kinds"],
        ["Krate.Web/Components"] = ["Core.Resources", "Core.Gateway", "Core.Git", "Web.Live", "Web.Hosting", "Web.Layout"],
        ["Krate.Relay"] = [],
        ["Krate.Web/Egress"] = ["Core.Agents", "Core.Outbound"],
        ["Krate.Diagnoser"] = ["Core.Resources", "Core.Git", "Core.Agents", "Core.Context", "Core.Runs"],
        ["Krate.Web/Features"] = ["Core.Resources", "Core.Gateway", "Core.Kinds", "Core.ControlPlane", "Core.Git", "Core.Repositories", "Core.Runs", "Core.Agents", "Core.Context", "Core.Blobs", "Core.Sessions", "Web.Live", "Web.Components", "Web.Layout", "Web.Hosting"],
        ["Krate.Web/Git"] = ["Core.Resources", "Core.Gateway", "Core.Git", "Core.Repositories", "Web.Hosting"],
        ["Krate.Web/Api"] = ["Core.Resources", "Core.Gateway", "Core.Runs", "Core.Blobs", "Core.Sessions", "Core.Kinds", "Core.Generation", "Web.Hosting"],
    };

    public static TheoryData<string> Folders => new(Allowed.Keys);

    [Theory]
    [MemberData(nameof(Folders))]
    public void A_layer_refers_only_to_the_layers_below_it(string folder)
    {
        var own = folder["Krate.".Length..].Replace('/', '.');
        var offences =
            from file in Sources(folder)
            from line in File.ReadLines(file).Select((text, i) => (text, number: i + 1))
            from Match match in Layer().Matches(line.text)
            let layer = match.Groups[1].Value
            where layer != own && !Allowed[folder].Contains(layer)
            select $"{Path.GetRelativePath(Repository.Root, file)}:{line.number} refers to Krate.{layer}";
        Assert.Empty(offences);
    }

    [Fact]
    public void Nothing_in_the_core_knows_ASP_NET()
    {
        var offences = Sources("Krate.Core").Where(f => File.ReadAllText(f).Contains("Microsoft.AspNetCore", StringComparison.Ordinal));
        Assert.Empty(offences);
    }

    private static IEnumerable<string> Sources(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.*", SearchOption.AllDirectories)
            .Where(f => f.EndsWith(".cs", StringComparison.Ordinal) || f.EndsWith(".razor", StringComparison.Ordinal));

    // "Krate.Core.Store" and, inside Krate.Core, the short form "Store." of a qualified name.
    [GeneratedRegex(@"\bKrate\.((?:Core|Web)\.[A-Z][A-Za-z]+|Diagnoser)\b")]
    private static partial Regex Layer();
}
