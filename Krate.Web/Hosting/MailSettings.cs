using Krate.Core.Outbound;
using Krate.Core.Store;
using MailKit.Security;
using MimeKit;

namespace Krate.Web.Hosting;

/// <summary>Reads <c>Krate:Mail</c>; without a host there is no mail.</summary>
internal static class MailSettings
{
    /// <exception cref="StartupException">A value that cannot be used, or a password that would be sent in the open.</exception>
    public static MailOptions? From(IConfiguration configuration)
    {
        var mail = configuration.GetSection("Krate:Mail");
        if (mail["Host"] is not { Length: > 0 } host) return null;
        if (!MailboxAddress.TryParse(mail["From"], out var from)) throw new StartupException("Krate:Mail:From must be the address that Krate's mail comes from, such as krate@example.com.");
        if (!int.TryParse(mail["Port"] ?? "587", out var port) || port is < 1 or > 65_535) throw new StartupException("Krate:Mail:Port must be a number from 1 to 65535.");
        var security = (mail["Security"] ?? (port == 465 ? "tls" : "starttls")) switch
        {
            "tls" => SecureSocketOptions.SslOnConnect,
            "starttls" => SecureSocketOptions.StartTls,
            "none" => SecureSocketOptions.None,
            var other => throw new StartupException($"Krate:Mail:Security is \"{other}\"; it must be starttls, tls or none."),
        };
        var user = mail["UserName"] is { Length: > 0 } name ? name : null;
        if (user is not null && security == SecureSocketOptions.None) throw new StartupException("Krate:Mail:Security is none, so that the password of Krate:Mail:UserName could be read on its way; use starttls or tls.");
        return new MailOptions(host, port, from, security) { UserName = user, Password = mail["Password"] };
    }
}
