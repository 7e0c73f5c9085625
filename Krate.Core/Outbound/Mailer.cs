using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace Krate.Core.Outbound;

/// <summary>The mail server that takes Krate's messages.</summary>
/// <param name="From">Address that they come from (<c>Krate &lt;krate@acme.example&gt;</c>).</param>
/// <param name="Security">How the connection is protected; nothing weaker is ever used.</param>
public sealed record MailOptions(string Host, int Port, MailboxAddress From, SecureSocketOptions Security)
{
    public string? UserName { get; init; }

    public string? Password { get; init; }
}

/// <summary>Hands messages to the operator's mail server, one connection each. Thread-safe.</summary>
public sealed class Mailer(MailOptions options)
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(30);

    /// <param name="id">Stays the same when a message is sent again, so that a mailbox may know it.</param>
    /// <returns>Why this message is not taken and never will be; null when it was.</returns>
    /// <exception cref="IOException">The server was not reached, or cannot take it now: try again later.</exception>
    public async Task<string?> SendAsync(string to, string id, string subject, string text, CancellationToken ct)
    {
        if (!MailboxAddress.TryParse(to, out var mailbox)) return "the address cannot be written to";
        using var message = new MimeMessage { MessageId = id, Subject = OneLine(subject), Body = new TextPart("plain") { Text = text } };
        message.From.Add(options.From);
        message.To.Add(mailbox);
        // Answers of machines to machines are not wanted (RFC 3834).
        message.Headers.Add("Auto-Submitted", "auto-generated");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Within);
        using var client = new SmtpClient();
        try
        {
            await client.ConnectAsync(options.Host, options.Port, options.Security, limit.Token);
            if (options.UserName is { } user) await client.AuthenticateAsync(user, options.Password ?? "", limit.Token);
            await client.SendAsync(message, limit.Token);
            await client.DisconnectAsync(quit: true, limit.Token);
            return null;
        }
        catch (SmtpCommandException e) when ((int)e.StatusCode >= 500)
        {
            return e.Message;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new IOException($"The mail server {options.Host} took longer than {Within.TotalSeconds:0} s.");
        }
        catch (Exception e) when (e is MailKit.CommandException or MailKit.ProtocolException or AuthenticationException or SslHandshakeException or System.Net.Sockets.SocketException or NotSupportedException)
        {
            throw new IOException($"The mail server {options.Host} did not take a message: {e.Message}", e);
        }
    }

    internal static string OneLine(string text) => string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));
}
