using Krate.Core.Generation;
using Krate.Core.Kinds;
using Krate.Web.Hosting;

if (args is ["generate", ..])
{
    // The project's run directory is the repository's root; another root may be named.
    var root = Path.GetFullPath(args.ElementAtOrDefault(1) ?? ".");
    if (!File.Exists(Path.Combine(root, "Krate.sln")))
    {
        await Console.Error.WriteLineAsync($"{root} is not the root of Krate's sources: there is no Krate.sln");
        return 1;
    }

    foreach (var path in Outputs.WriteTo(root, KindTable.Catalog)) Console.WriteLine(path);
    return 0;
}

return await KrateHost.RunAsync(args);
