using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Krate.Core.Repositories;

namespace Krate.Web.Git;

/// <summary>
/// <c>pre-receive</c>: what git runs before it moves refs. Asks the running Krate through its socket and refuses unless it agrees. No host,
/// no configuration: it must start quickly and have nothing that can go wrong.
/// </summary>
internal static class PreReceiveHook
{
    public const string Name = "pre-receive";

    private static readonly TimeSpan UnlessTold = TimeSpan.FromMinutes(4);

    private static TimeSpan AnswerWithin =>
        int.TryParse(Variable(PushGate.PatienceVariable), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds > 0 ? TimeSpan.FromSeconds(seconds) : UnlessTold;

    /// <returns>Exit code: 0 lets the push through.</returns>
    public static async Task<int> RunAsync()
    {
        try
        {
            using var patience = new CancellationTokenSource(AnswerWithin);
            var lines = (await AskAsync(patience.Token)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            if (lines.Length == 0) throw new IOException("no answer");
            foreach (var line in lines.Skip(1)) await Console.Error.WriteLineAsync(line);
            return lines[0] == PushGate.Accept ? 0 : 1;
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException or ArgumentException)
        {
            await Console.Error.WriteLineAsync("krate: nobody could judge this push, so nothing was changed; try again");
            return 1;
        }
    }

    private static async Task<string> AskAsync(CancellationToken ct)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Variable(PushGate.SocketVariable)), ct);
        await using var stream = new NetworkStream(socket, ownsSocket: false);
        var head = string.Join('\n', Variable(PushGate.TokenVariable), Variable("GIT_OBJECT_DIRECTORY"), Variable("GIT_ALTERNATE_OBJECT_DIRECTORIES")) + "\n";
        await stream.WriteAsync(Encoding.UTF8.GetBytes(head), ct);
        await using (var updates = Console.OpenStandardInput()) await updates.CopyToAsync(stream, ct);
        socket.Shutdown(SocketShutdown.Send);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return await reader.ReadToEndAsync(ct);
    }

    private static string Variable(string name) => Environment.GetEnvironmentVariable(name) ?? "";
}
