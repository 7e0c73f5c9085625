using System.Runtime.InteropServices;

namespace Krate.Core.Git;

internal static partial class Signals
{
    private const int SigTerm = 15;

    /// <summary>Asks a process to end. No effect when it is gone.</summary>
    public static void Terminate(int pid) => _ = Kill(pid, SigTerm);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}
