using System.Runtime.InteropServices;
using Krate.Core.Store;

namespace Krate.Core.Agents;

/// <summary>A program as it is started.</summary>
/// <param name="Command">Name, or absolute path.</param>
public sealed record AgentCommand(string Command, IReadOnlyList<string> Arguments)
{
    /// <summary>All of the environment, beside PATH and HOME.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>What it sees beside the system and itself.</summary>
    public IReadOnlyList<SandboxFolder> Folders { get; init; } = [];

    /// <summary>Its way out; null for none at all.</summary>
    public AgentNetwork? Network { get; init; }

    /// <summary>Inside the sandbox.</summary>
    public string WorkingFolder { get; init; } = AgentSandbox.Home;
}

/// <summary>Which programs may be started for people, and where they are.</summary>
internal sealed class AgentCommands(AgentOptions options, DataDirectory data)
{
    public string DataFolder => data.Path;

    /// <summary>Absolute path of a program that may be started.</summary>
    /// <exception cref="ProbeException">Krate's operator has not allowed it, or it is not there.</exception>
    public string Resolve(string command)
    {
        if (!IsAllowed(command))
            throw new ProbeException(ProbeReasons.CommandNotAllowed, $"{ForeignText.Line(command, 200)} may not be started: whoever runs Krate has to add it to Krate:Agents:AllowedCommands");
        return Find(command) ?? throw new ProbeException(ProbeReasons.CommandNotInstalled, $"{command} is not installed where Krate runs (neither on its PATH nor below node_modules/.bin)");
    }

    /// <summary>What a program has to read of itself: packages of node are many files, others one or a prefix of bin and lib.</summary>
    public IEnumerable<string> ReadablePaths(string program)
    {
        if (IsShipped(program)) return ShippedParts(program);
        var target = File.ResolveLinkTarget(program, returnFinalTarget: true)?.FullName;
        var own = new[] { program, target }.OfType<string>().Where(p => !IsSystem(p)).SelectMany(PartsOf);
        return own.Concat(options.ReadablePaths).Distinct(StringComparer.Ordinal);
    }

    /// <summary>Where a program finds others (the node that runs it): beside itself, in the system, and in those of Krate's own folders that it may read.</summary>
    public string SearchPath(string program)
    {
        var readable = Own.Where(f => options.ReadablePaths.Any(r => f == r || IsBelow(f, r)));
        return string.Join(':', readable.Prepend(Path.GetDirectoryName(program)!).Concat(["/usr/local/bin", "/usr/bin", "/bin"]));
    }

    /// <summary>What an agent's connections go through inside its sandbox: it lies beside Krate's own program.</summary>
    public static string Relay { get; } = Path.Combine(AppContext.BaseDirectory, "krate-relay");

    /// <summary>What a program of Krate's own needs to start: the runtime that Krate runs on.</summary>
    public static IReadOnlyDictionary<string, string> OwnEnvironment(string program) => IsShipped(program)
        ? new() { ["DOTNET_ROOT"] = RuntimeFolder, ["DOTNET_EnableDiagnostics"] = "0" }
        : new Dictionary<string, string>();

    /// <summary>Whether a path is below what every program may read.</summary>
    public static bool IsSystem(string path) => AgentSandbox.SystemFolders.Any(s => path == s || IsBelow(path, s));

    public static bool IsBelow(string path, string folder) => path.StartsWith(folder.TrimEnd('/') + "/", StringComparison.Ordinal);

    private bool IsAllowed(string command) =>
        !command.Contains('\0', StringComparison.Ordinal) && (options.AllowedCommands.Contains(command, StringComparer.Ordinal) || AdapterCatalog.All.Any(e => e.Command == command));

    private static string? Find(string command)
    {
        if (AdapterCatalog.All.Any(e => e.IsShipped && e.Command == command)) return Path.Combine(AppContext.BaseDirectory, command) is var shipped && File.Exists(shipped) ? shipped : null;
        if (command.StartsWith('/')) return File.Exists(command) ? Path.GetFullPath(command) : null;
        if (command.Contains('/', StringComparison.Ordinal)) return null;
        return Own.Append(Path.GetFullPath("node_modules/.bin")).Select(f => Path.Combine(f, command)).FirstOrDefault(File.Exists);
    }

    /// <summary>Folders of Krate's PATH.</summary>
    private static IEnumerable<string> Own => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries).Where(Path.IsPathRooted);

    private static bool IsShipped(string program) => program == Relay || AdapterCatalog.All.Any(e => e.IsShipped && program == Path.Combine(AppContext.BaseDirectory, e.Command!));

    private static string RuntimeFolder => Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../.."));

    /// <summary>Not the folder that it is in: the configuration of Krate may be there.</summary>
    private static IEnumerable<string> ShippedParts(string program)
    {
        IEnumerable<string> parts = [program, program + ".dll", program + ".runtimeconfig.json", typeof(AgentCommands).Assembly.Location];
        return IsSystem(RuntimeFolder) ? parts : parts.Append(RuntimeFolder);
    }

    private static IEnumerable<string> PartsOf(string path)
    {
        const string Packages = "/node_modules/";
        var folder = Path.GetDirectoryName(path)!;
        if (path.IndexOf(Packages, StringComparison.Ordinal) is var at and >= 0) return [path[..(at + Packages.Length - 1)]];
        return Path.GetFileName(folder) == "bin" ? [folder, Path.Combine(Path.GetDirectoryName(folder)!, "lib")] : [path];
    }
}
