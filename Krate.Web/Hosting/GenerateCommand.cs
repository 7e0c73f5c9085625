using Krate.Core.Generation;
using Krate.Core.Kinds;

namespace Krate.Web.Hosting;

/// <summary><c>generate</c>: writes the checked-in files that follow from the table of kinds.</summary>
internal static class GenerateCommand
{
    public const string Name = "generate";

    /// <param name="args">The command, and the root of the sources when it is not the current directory (where <c>dotnet run</c> starts).</param>
    public static async Task<int> RunAsync(string[] args)
    {
        var root = Path.GetFullPath(args.ElementAtOrDefault(1) ?? ".");
        if (!File.Exists(Path.Combine(root, "Krate.sln")))
        {
            await Console.Error.WriteLineAsync($"{root} is not the root of Krate's sources: there is no Krate.sln");
            return 1;
        }

        foreach (var path in Outputs.WriteTo(root, KindTable.Catalog)) Console.WriteLine(path);
        return 0;
    }
}
