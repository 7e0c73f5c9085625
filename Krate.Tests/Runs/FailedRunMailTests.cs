using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Tests.Repositories;
using Xunit;

namespace Krate.Tests.Runs;

/// <summary>A Krate with a mail server.</summary>
public sealed class MailWorld : GitWorld
{
    public MailServer Mail { get; } = new();

    protected override string[] Settings => ["--Krate:Mail:Host=127.0.0.1", $"--Krate:Mail:Port={Mail.Port}", "--Krate:Mail:Security=none", "--Krate:Mail:From=Krate <krate@acme.example>"];
}

/// <summary>Whom a run was for hears of its failure by mail, where there is a mail server.</summary>
public sealed class FailedRunMailTests(MailWorld world) : IClassFixture<MailWorld>, IDisposable
{
    public void Dispose() => world.Mail.Dispose();

    [Fact]
    public async Task A_failed_run_is_told_once_the_mail_server_is_there_and_to_none_who_may_not_see_it()
    {
        var repository = await world.NewRepositoryAsync("private");
        await world.PermitAsync(repository, "mira", "read");
        await FailAsync(repository, "oskar", "verify");
        var run = await FailAsync(repository, "mira", "verify\r\nBcc: lumi@acme.example");
        world.Mail.Start();

        var told = (await world.UntilAsync("Pipeline", GitWorld.Namespace, run.Name, p => p?.Body.Text("status.mail.at") is not null))!;
        Assert.Null(told.Body.Text("status.mail.error"));
        var mail = world.Mail.MailFor("mira@acme.example");
        Assert.Contains("From: Krate <krate@acme.example>", mail, StringComparison.Ordinal);
        Assert.Contains($"Subject: [acme/{repository.Name}] verify", mail, StringComparison.Ordinal);
        Assert.Contains($"/orgs/acme/repositories/{repository.Name}/runs/{run.Name}", mail, StringComparison.Ordinal);
        Assert.DoesNotContain("\nBcc:", mail, StringComparison.Ordinal);
        Assert.False(world.Mail.HasMailFor("lumi@acme.example"));
        Assert.False(world.Mail.HasMailFor("oskar@acme.example"));
    }

    private async Task<Resource> FailAsync(Resource repository, string person, string workflow)
    {
        var run = await world.CreateAsync("Pipeline", GitWorld.Namespace, $"{repository.Name}-{person}", new() { ["repository"] = repository.Name, ["ref"] = "refs/heads/" + person, ["workflow"] = workflow, ["startedBy"] = person });
        await world.Gateway.ActAsync(GitWorld.Admin, run.Kind, run.Namespace, run.Name, "finish", new() { ["phase"] = "failed" }, TestContext.Current.CancellationToken);
        return run;
    }
}
