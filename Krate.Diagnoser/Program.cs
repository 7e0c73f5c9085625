namespace Krate.Diagnoser;

/// <summary>
/// An agent without a model: it reads the log of a failed job and the repository in its folder, and says by rules what went wrong, where, and who brought the line.
/// It speaks the Agent Client Protocol on its standard input and output.
/// </summary>
internal static class Program
{
    private static async Task<int> Main()
    {
        using var wire = new AcpWire(Console.OpenStandardOutput());
        try
        {
            await new AcpAgent(wire, TimeProvider.System, Environment.GetEnvironmentVariable(Artifacts.Variable)).RunAsync(Console.OpenStandardInput(), CancellationToken.None);
            return 0;
        }
        catch (IOException)
        {
            // Nobody reads its answers any more.
            return 1;
        }
    }
}
