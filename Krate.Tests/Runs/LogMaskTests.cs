using System.Text;
using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Tests.Repositories;
using Xunit;

namespace Krate.Tests.Runs;

[Collection(typeof(GitCollection))]
public sealed class LogMaskTests(GitWorld world) : CiWork(world), IAsyncLifetime
{
    private const string Value = "s3cr3t-Val/ue+with\"quotes\"&more";
    private const string Lines = "-----BEGIN KEY-----\nMIIBVgIBADANBgkqhkiG9w0\nxyzzy plugh frotz ozmoo\n-----END KEY-----";

    /// <summary>How programs print a value.</summary>
    private static IEnumerable<string> Forms()
    {
        var raw = Encoding.UTF8.GetBytes(Value);
        yield return Value;
        yield return new string([.. Value.Reverse()]);
        yield return Convert.ToHexString(raw);
        yield return Convert.ToHexStringLower(raw);
        yield return Uri.EscapeDataString(Value);
        yield return System.Text.Json.JsonSerializer.Serialize(Value).Trim('"');
        yield return Value.Replace("\"", "\\\"", StringComparison.Ordinal);
        yield return Convert.ToBase64String(raw).TrimEnd('=');
        yield return Convert.ToBase64String(raw).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        yield return "MIIBVgIBADANBgkqhkiG9w0";
        yield return "xyzzy plugh frotz ozmoo";
    }

    /// <summary>Logs of other tests are not held up by the values of this one.</summary>
    public async ValueTask DisposeAsync() => await World.Gateway.DeleteAsync(GitWorld.Admin, KindTable.Catalog["Secret"], GitWorld.Namespace, "log-mask", new DeleteOptions(), Ct);

    [Fact]
    public async Task A_secret_is_stars_in_every_form_and_wherever_it_is_cut()
    {
        var (_, _, job) = await NewRunAsync();
        var whole = new StringBuilder();
        foreach (var form in Forms())
        {
            for (var cut = 1; cut < form.Length; cut += form.Length > 40 ? 5 : 2)
            {
                await AppendAsync(job, whole, "before " + form[..cut]);
                await AppendAsync(job, whole, form[cut..] + " after\n");
            }
        }

        await Logs.SealAsync(job, Ct);
        var stored = await ReadAsync(job);
        Assert.Equal(whole.Length, stored.Length);
        Assert.All(Forms(), f => Assert.DoesNotContain(f, stored, StringComparison.Ordinal));
        Assert.All(stored.Split('\n')[..^1], line => Assert.Matches(@"^before \*+ after$", line));
    }

    [Fact]
    public async Task A_secret_that_comes_byte_by_byte_is_never_seen_and_what_only_begins_like_one_is()
    {
        var (_, _, job) = await NewRunAsync();
        var whole = new StringBuilder();
        foreach (var c in $"a {Value} b {Value[..^1]}! c ")
        {
            await AppendAsync(job, whole, c.ToString());
            Assert.DoesNotContain(Value[..4], (await ReadAsync(job)).Split(" b ")[0], StringComparison.Ordinal);
        }

        Assert.Equal($"a {new string('*', Value.Length)} b {Value[..^1]}! c ", await ReadAsync(job));
    }

    [Fact]
    public async Task What_is_held_back_at_the_end_is_shown_when_it_is_short_and_stays_hidden_when_it_is_not()
    {
        foreach (var (text, shown) in new[] { ("x " + Value[..5], "x " + Value[..5]), ("x " + Value[..12], "x " + new string('*', 12)) })
        {
            var (ci, _, job) = await NewRunAsync();
            await AppendedAsync(ci, job, 0, text);
            Assert.Equal("x ", await LogAsync(ci, job));
            Assert.Equal((long)text.Length, (await OkAsync(ci, $"jobs/{job.Name}/finish", """{"exitCode":0}""")).Whole("status.logBytes"));
            Assert.Equal(shown, await LogAsync(ci, job));
        }
    }

    [Fact]
    public async Task Tokens_of_krate_are_stars_and_nothing_of_a_secret_is_on_disk_in_clear()
    {
        var (ci, _, job) = await NewRunAsync();
        var token = World.TokenOf("mira");
        var at = await AppendedAsync(ci, job, 0, $"token {token[..30]}");
        at = await AppendedAsync(ci, job, at, $"{token[30..]}\nheld {Value[..20]}");
        var files = Directory.EnumerateFiles(Path.Combine(World.Server.Data.Path, "logs"), job.Uid + "*", SearchOption.AllDirectories).Select(File.ReadAllText).ToList();
        Assert.NotEmpty(files);
        Assert.All(files, f => Assert.DoesNotContain(Value[..20], f, StringComparison.Ordinal));
        Assert.Equal($"token {new string('*', token.Length)}\nheld ", await LogAsync(ci, job));
        Assert.Equal(409, (await AppendAsync(ci, job, at - 1, [1])).Code);
    }

    public async ValueTask InitializeAsync()
    {
        var document = new System.Text.Json.Nodes.JsonObject
        {
            ["metadata"] = new System.Text.Json.Nodes.JsonObject { ["name"] = "log-mask" },
            ["stringData"] = new System.Text.Json.Nodes.JsonObject { ["one"] = Value, ["lines"] = Lines },
        };
        await World.Gateway.CreateAsync(GitWorld.Admin, KindTable.Catalog["Secret"], GitWorld.Namespace, document, new WriteOptions(), Ct);
    }

    private async Task AppendAsync(Resource job, StringBuilder whole, string text)
    {
        Assert.Equal(whole.Length + text.Length, await Logs.AppendAsync(job, whole.Length, new MemoryStream(Encoding.UTF8.GetBytes(text)), Ct));
        whole.Append(text);
    }

    private async Task<string> ReadAsync(Resource job)
    {
        await using var bytes = Logs.OpenBytes(job, 0, null)!;
        using var reader = new StreamReader(bytes);
        return await reader.ReadToEndAsync(Ct);
    }
}
