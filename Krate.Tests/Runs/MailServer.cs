using System.Diagnostics;
using Krate.Tests.Testing;
using Xunit;

namespace Krate.Tests.Runs;

/// <summary>A real SMTP server on a loopback port (msmtpd) that puts each message into a file with the name of its recipient.</summary>
public sealed class MailServer : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("krate-mail-").FullName;
    private Process? process;

    public int Port { get; } = Loopback.FreePort();

    public void Start()
    {
        var start = new ProcessStartInfo("msmtpd", ["--interface=127.0.0.1", $"--port={Port}", "--command=tee --"]) { WorkingDirectory = directory, RedirectStandardOutput = true, RedirectStandardError = true };
        process = Process.Start(start)!;
    }

    public bool HasMailFor(string recipient) => File.Exists(Path.Combine(directory, recipient));

    public string MailFor(string recipient) => File.ReadAllText(Path.Combine(directory, recipient));

    public void Dispose()
    {
        process?.Kill(entireProcessTree: true);
        process?.Dispose();
        Directory.Delete(directory, recursive: true);
    }
}
