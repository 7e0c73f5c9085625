using System.Diagnostics;
using Krate.E2E.Hosting;
using Krate.Tests.Testing;
using Microsoft.Playwright;
using Xunit;

[assembly: AssemblyFixture(typeof(AppFixture))]
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace Krate.E2E.Hosting;

/// <summary>One published app with demo data and one Chromium for all journeys.</summary>
public sealed class AppFixture : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("krate-e2e-").FullName;
    private IPlaywright? playwright;

    public KrateProcess Krate { get; private set; } = null!;

    public IBrowser Browser { get; private set; } = null!;

    /// <summary>The published program.</summary>
    public string Program { get; private set; } = "";

    /// <summary>Folder of the screenshots that CI keeps for people to look at.</summary>
    public static string Screens => Directory.CreateDirectory(Path.Combine(FindRoot(), "artifacts", "screens")).FullName;

    public async ValueTask InitializeAsync()
    {
        Program = Path.Combine(await PublishedAsync(), "Krate.Web");
        MakeAgent();
        Krate = await KrateProcess.StartAsync([Program, "--demo"], Path.Combine(folder, "data"), null, TestContext.Current.CancellationToken);
        playwright = await Playwright.CreateAsync();
        Browser = await playwright.Chromium.LaunchAsync(new()
        {
            // Where there is no whole browser, the same engine without its windows will do.
            ExecutablePath = File.Exists("/usr/bin/chromium") ? "/usr/bin/chromium" : "/usr/bin/chromium-headless-shell",
            Headless = true,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-quic"],
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (Browser is not null) await Browser.CloseAsync().WaitAsync(TimeSpan.FromSeconds(30));
        playwright?.Dispose();
        if (Krate is not null) await Krate.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>On the path of Krate, under the name of one that Krate knows: it speaks the Agent Client Protocol as far as its first answer.</summary>
    private void MakeAgent()
    {
        var agents = Directory.CreateDirectory(Path.Combine(folder, "agents"));
        var agent = Path.Combine(agents.FullName, "claude-agent-acp");
        File.WriteAllText(agent, """
            #!/bin/sh
            read -r request
            echo '{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":1,"agentInfo":{"name":"stand-in","version":"1.0"}}}'
            cat > /dev/null
            """);
        File.SetUnixFileMode(agent, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        Environment.SetEnvironmentVariable("PATH", $"{agents.FullName}:{OpenCode}:{Environment.GetEnvironmentVariable("PATH")}");
        // A model server of the tests is on loopback; and this machine does other things while an agent starts.
        Environment.SetEnvironmentVariable("Krate__Outbound__AllowedHosts", "127.0.0.1");
        Environment.SetEnvironmentVariable("Krate__Agents__HandshakeWithin", "60s");
    }

    /// <summary>test.sh publishes once and says where; a single run from an editor publishes for itself.</summary>
    private static async Task<string> PublishedAsync()
    {
        if (Environment.GetEnvironmentVariable("KRATE_PUBLISHED") is { Length: > 0 } given) return Path.GetFullPath(given);
        var root = FindRoot();
        var target = Path.Combine(root, "artifacts", "e2e-app");
        using var publish = Process.Start(new ProcessStartInfo("dotnet", ["publish", Path.Combine(root, "Krate.Web"), "-c", "Release", "-o", target, "--nologo", "-v", "q"]))!;
        await publish.WaitForExitAsync();
        return publish.ExitCode == 0 ? target : throw new InvalidOperationException("dotnet publish failed");
    }

    /// <summary>Where scripts/install-opencode.sh puts it.</summary>
    private static string OpenCode => Path.Combine(Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache ? cache : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"), "krate", "opencode");

    private static string FindRoot()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "Krate.sln"))) return at.FullName;
        throw new InvalidOperationException("Krate.sln is in no folder above the tests");
    }
}
