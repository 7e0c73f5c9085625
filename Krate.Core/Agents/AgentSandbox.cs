using System.Globalization;

namespace Krate.Core.Agents;

/// <summary>
/// The walls around a program that people name: bubblewrap gives it process ids, users, and a network of its own (with nobody in it but, where an agent is given a way out, the relay to Krate), the system's programs to
/// read, an empty home, and nothing else. Its first process takes all others with it, also those that made a session of their own.
/// </summary>
internal static class AgentSandbox
{
    public const string Program = "bwrap";
    public const string Home = "/tmp/home";

    /// <summary>What bubblewrap says begins with this, when it is not the program that failed.</summary>
    public const string ErrorPrefix = "bwrap: ";

    private const long Scratch = 256L << 20, Memory = 4L << 30, FileSize = 256L << 20;
    private const int Processes = 512;

    /// <summary>Of the configuration of the machine only what programs need to start: it may hold credentials.</summary>
    private static readonly string[] Configuration =
    [
        "/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/ca-certificates", "/etc/localtime", "/etc/nsswitch.conf", "/etc/passwd", "/etc/group",
    ];

    /// <summary>What every program may read.</summary>
    public static readonly string[] SystemFolders = ["/usr", "/bin", "/sbin", "/lib", "/lib64"];

    /// <summary>Arguments of <see cref="Program"/>; the program inherits the environment.</summary>
    /// <param name="readable">Files and folders beside the system's.</param>
    /// <param name="hidden">Folders that stay empty, whatever they are in.</param>
    public static IEnumerable<string> Arguments(string program, AgentCommand command, IEnumerable<string> readable, IEnumerable<string> hidden)
    {
        var seen = readable.ToList();
        string[] start =
        [
            "--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534", "--die-with-parent", "--new-session", "--cap-drop", "ALL",
            .. SystemFolders.Concat(Configuration).SelectMany(p => new[] { "--ro-bind-try", p, p }),
            "--proc", "/proc", "--dev", "/dev", "--size", Number(Scratch), "--tmpfs", "/dev/shm", "--remount-ro", "/dev", "--size", Number(Scratch), "--tmpfs", "/tmp", "--dir", Home,
            .. seen.SelectMany(p => new[] { "--ro-bind-try", p, p }),
            .. hidden.Where(h => AgentCommands.IsSystem(h) || seen.Any(r => r == h || AgentCommands.IsBelow(h, r))).SelectMany(h => new[] { "--tmpfs", h, "--remount-ro", h }),
            .. command.Folders.SelectMany(f => new[] { f.IsWritable ? "--bind" : "--ro-bind", f.Path, f.Inside }),
            .. command.Network is { } network ? ["--ro-bind", network.SocketPath, AgentNetwork.SocketInside] : Array.Empty<string>(),
            "--remount-ro", "/", "--chdir", command.WorkingFolder, "--",
        ];
        return start.Concat(Bounded).Concat(command.Network is null ? [] : [AgentCommands.Relay, Number(AgentNetwork.Port), AgentNetwork.SocketInside, "--"]).Append(program).Concat(command.Arguments);
    }

    /// <summary>Only a process can bound itself; a shell that reads nothing but these numbers does. What a shell calls the number of processes differs.</summary>
    private static IEnumerable<string> Bounded =>
    [
        "/bin/sh", "-c", "ulimit -c 0; ulimit -d \"$1\" 2>/dev/null; ulimit -f \"$2\" 2>/dev/null; ulimit -u \"$3\" 2>/dev/null || ulimit -p \"$3\" 2>/dev/null; shift 3; exec \"$@\"", "sh",
        Number(Memory >> 10), Number(FileSize >> 9), Number(Processes),
    ];

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
