using Krate.Core.Store;
using Krate.Web.Hosting;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Krate.Tests.Hosting;

/// <summary>A mail server that cannot work is told of at the start.</summary>
public sealed class MailSettingsTests
{
    [Theory]
    [InlineData("Krate:Mail:From must be the address", "--Krate:Mail:Host=mail.example")]
    [InlineData("Krate:Mail:Port must be a number", "--Krate:Mail:Host=mail.example", "--Krate:Mail:From=a@b.example", "--Krate:Mail:Port=smtp")]
    [InlineData("it must be starttls, tls or none", "--Krate:Mail:Host=mail.example", "--Krate:Mail:From=a@b.example", "--Krate:Mail:Security=maybe")]
    [InlineData("could be read on its way", "--Krate:Mail:Host=mail.example", "--Krate:Mail:From=a@b.example", "--Krate:Mail:Security=none", "--Krate:Mail:UserName=krate")]
    public void Settings_that_cannot_be_used_are_named(string problem, params string[] settings) =>
        Assert.Contains(problem, Assert.Throws<StartupException>(() => KrateSettings.From(new ConfigurationBuilder().AddCommandLine([.. settings, "--urls=http://127.0.0.1:0"]).Build())).Message, StringComparison.Ordinal);
}
