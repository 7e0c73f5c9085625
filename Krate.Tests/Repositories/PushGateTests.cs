using System.Net.Sockets;
using System.Text;
using Krate.Core.Repositories;
using Xunit;

namespace Krate.Tests.Repositories;

/// <summary>The socket that hooks ask, spoken to by something that is no hook.</summary>
[Collection(typeof(ImpatientCollection))]
public sealed class PushGateTests(ImpatientWorld world)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whoever_asks_and_never_ends_is_left_without_an_answer()
    {
        using var asking = await AskAsync("no token\n\n\n");
        Assert.Equal(0, await asking.ReceiveAsync(new byte[10], Ct));
    }

    [Theory]
    [InlineData("no token\n\n\n", "not known here")]
    [InlineData("no token\n\n\nno update\n", "no ref update")]
    [InlineData("", "not known here")]
    public async Task What_no_hook_would_ask_is_refused(string question, string reason)
    {
        using var asking = await AskAsync(question);
        using var answer = new StreamReader(new NetworkStream(asking));
        asking.Shutdown(SocketShutdown.Send);
        Assert.Equal("refuse", await answer.ReadLineAsync(Ct));
        Assert.Contains(reason, await answer.ReadLineAsync(Ct), StringComparison.Ordinal);
    }

    private async Task<Socket> AskAsync(string question)
    {
        var repository = await world.NewRepositoryAsync();
        var hosted = await world.Server.Service<HostedRepositories>().OpenAsync(GitWorld.Admin, "acme", repository.Name, Ct);
        using var push = world.Server.Service<PushGate>().Open(GitWorld.Admin, hosted);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(push.Environment[PushGate.SocketVariable]), Ct);
        await socket.SendAsync(Encoding.UTF8.GetBytes(question), Ct);
        return socket;
    }
}
