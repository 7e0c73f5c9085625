using System.Text;
using Krate.E2E.Hosting;
using Krate.Tests.Testing;
using Microsoft.Playwright;
using Xunit;

namespace Krate.E2E.Journeys;

/// <summary>A Secret's value reaches neither a page, nor what its circuit sends, nor the log at its most talkative.</summary>
public sealed class SecretPagesTests(AppFixture app) : Journey(app)
{
    private const string Canary = "c4n4ry-Page_51hWq7!";
    private readonly string folder = Directory.CreateTempSubdirectory("krate-e2e-").FullName;
    private KrateProcess? krate;

    protected override KrateProcess Krate => krate!;

    public override async ValueTask InitializeAsync() =>
        krate = await KrateProcess.StartAsync([App.Program, "--demo", "--Logging:LogLevel:Default=Trace", "--Logging:LogLevel:Microsoft=Trace", "--Logging:LogLevel:System=Trace"], Path.Combine(folder, "data"), null, Ct);

    [Fact]
    public async Task No_form_of_a_value_is_in_a_page_or_in_the_log()
    {
        var seen = new List<string>();
        var page = await SignedInAsync("/orgs/acme/resources/secrets");
        page.WebSocket += (_, socket) => socket.FrameReceived += (_, frame) => seen.Add(Encoding.Latin1.GetString(frame.Binary ?? Encoding.UTF8.GetBytes(frame.Text ?? "")));
        await KubectlAsync(["apply", "-f", "-"], Manifest("one"));
        foreach (var path in new[] { "", "?tab=yaml", "?tab=yaml&edit=1", "?tab=events" })
        {
            seen.Add(await (await page.APIRequest.GetAsync("/orgs/acme/resources/secrets/canary" + path)).TextAsync());
            await GoAsync(page, "/orgs/acme/resources/secrets/canary" + path);
            seen.Add(await page.ContentAsync());
        }

        await GoAsync(page, "/orgs/acme/resources/secrets/canary?tab=yaml");
        await KubectlAsync(["apply", "-f", "-"], Manifest("two"));
        await Assertions.Expect(page.GetByText("two").First).ToBeVisibleAsync();
        seen.Add(await page.ContentAsync());
        await KubectlAsync(["delete", "secret", "canary", "-n", "krate-org-acme"]);
        await Assertions.Expect(page.GetByText("was deleted").First).ToBeVisibleAsync();
        seen.Add(await page.ContentAsync());

        Assert.Contains(seen, s => s.Contains("canary", StringComparison.Ordinal));
        Assert.Contains(" trace ", Krate.Log, StringComparison.Ordinal);
        foreach (var form in new[] { Canary, Base64(Canary), Uri.EscapeDataString(Canary), Convert.ToHexString(Encoding.UTF8.GetBytes(Canary)), Base64("x" + Canary)[4..^4], Base64("xx" + Canary)[4..^4] })
        {
            Assert.DoesNotContain(seen, s => s.Contains(form, StringComparison.OrdinalIgnoreCase));
            Assert.DoesNotContain(form, Krate.Log, StringComparison.OrdinalIgnoreCase);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (krate is not null) await krate.DisposeAsync();
        Directory.Delete(folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static string Manifest(string label) => $"""
        apiVersion: v1
        kind: Secret
        metadata:
          name: canary
          namespace: krate-org-acme
          labels:
            turn: {label}
        data:
          token: {Base64(Canary)}
        stringData:
          plain: {Canary}
        """;
}
