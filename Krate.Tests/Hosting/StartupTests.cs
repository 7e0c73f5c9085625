using System.Net;
using System.Net.Sockets;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Hosting;

/// <summary>Real processes: what a person reads when Krate cannot start, and how it stops.</summary>
public sealed class StartupTests : IDisposable
{
    private const string Urls = "--urls=http://127.0.0.1:0;https://127.0.0.1:0";
    private readonly string folder = Directory.CreateTempSubdirectory("krate-start-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task It_names_its_data_directory_first_keeps_a_second_process_out_and_stops_with_exit_code_0()
    {
        await using var first = KrateCommand.Start(folder, [Urls]);
        await first.WhenStartedAsync(Ct);

        await AssertRefusedAsync([Urls], "Another Krate process uses the data directory");

        first.Terminate();
        var (code, output, error) = await first.EndAsync(Ct);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains($"Krate keeps its data in {Path.Combine(folder, "data")}", output.Split('\n')[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_open_watch_does_not_hold_the_stop()
    {
        await using var krate = KrateCommand.Start(folder, [Urls]);
        await krate.WhenStartedAsync(Ct);
        using var kubectl = Kubectl.Of("1.32", Path.Combine(folder, "data", "admin.kubeconfig"));

        await kubectl.FollowAsync("get namespaces -w", async lines =>
        {
            await lines.UntilAsync("krate-system");
            krate.Terminate();
            Assert.Equal(0, (await krate.EndAsync(Ct).WaitAsync(TimeSpan.FromSeconds(10), Ct)).ExitCode);
        });
    }

    [Fact]
    public async Task Without_an_https_address_one_warning_says_that_kubectl_will_not_work()
    {
        await using var krate = KrateCommand.Start(folder, ["--urls=http://127.0.0.1:0"]);
        await krate.WhenStartedAsync(Ct);
        krate.Terminate();

        var (code, output, _) = await krate.EndAsync(Ct);
        Assert.Equal(0, code);
        Assert.Single(output.Split('\n'), l => l.Contains("kubectl will not work", StringComparison.Ordinal) && l.Contains("warn", StringComparison.Ordinal));
        Assert.False(File.Exists(Path.Combine(folder, "data", "admin.kubeconfig")));
    }

    [Fact]
    public async Task A_port_in_use_is_one_line()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;

        await AssertRefusedAsync([$"--urls=http://127.0.0.1:{port}"], $"http://127.0.0.1:{port}");
    }

    [Fact]
    public async Task A_data_directory_that_cannot_be_written_is_one_line()
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "file"), "", Ct);

        await AssertRefusedAsync([Urls], "cannot be written", ("Krate__Data", Path.Combine(folder, "file", "data")));
        await AssertRefusedAsync([Urls], "cannot be written", ("Krate__Data", "/proc/krate"));
    }

    [Fact]
    public async Task A_PostgreSQL_that_does_not_answer_is_one_line_without_its_password()
    {
        var error = await AssertRefusedAsync([Urls], "PostgreSQL", ("ConnectionStrings__Krate", "Host=127.0.0.1;Port=1;Username=krate;Password=hunter2secret;Timeout=3"));

        Assert.DoesNotContain("hunter2secret", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://0.0.0.0:0", "no sign-in provider")]
    [InlineData("http://krate.example.com:5080", "no sign-in provider")]
    [InlineData("nonsense", "is no address")]
    public async Task An_address_that_is_open_or_nonsense_is_one_line(string url, string says) => await AssertRefusedAsync(["--urls=" + url], says);

    private async Task<string> AssertRefusedAsync(string[] args, string says, params (string, string)[] environment)
    {
        await using var krate = KrateCommand.Start(folder, args, environment);
        var (code, output, error) = await krate.EndAsync(Ct);
        Assert.NotEqual(0, code);
        Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(says, error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output + error, StringComparison.Ordinal);
        return error;
    }
}
