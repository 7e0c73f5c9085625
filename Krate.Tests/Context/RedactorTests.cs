using System.Text;
using Krate.Core.Context;
using Krate.Core.Gateway;
using Xunit;

namespace Krate.Tests.Context;

/// <summary>What must not be in a prompt is taken out, and counted; what only looks like it stays.</summary>
public sealed class RedactorTests
{
    private const string Value = "s3cr3t-Val/ue+with\"quotes\"&more";
    private static readonly string Fake = new('x', 8);

    [Theory]
    [InlineData("provider-token", "ANTHROPIC = sk-ant-api03-", "abcdefghijklmnop_qrst-uvwxyz012345", " end")]
    [InlineData("provider-token", "use ghp_", "abcdefghijklmnopqrstuvwxyz0123456789", ", please")]
    [InlineData("provider-token", "use github_pat_", "11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz0123456789ABCDEFGHIJKLMN", "\n")]
    [InlineData("provider-token", "glpat-", "abcdefghij0123456789", " ")]
    [InlineData("provider-token", "aws AKIA", "ABCDEFGHIJKLMNOP", " ")]
    [InlineData("provider-token", "xoxb-", "1234567890-abcdefghij", " ")]
    [InlineData("bearer-token", "it said Bearer ", "abcdefghijklmnopqrstuvwxyz0123456789==", " and went on")]
    [InlineData("bearer-token", "got eyJ", "hbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0xxxx.c2lnbmF0dXJlLXNpZ25hdHVyZQ", " back")]
    [InlineData("bearer-token", "client_secret=", "abcd1234efgh", "&grant_type=code")]
    [InlineData("bearer-token", "\"password\": \"", "correct-horse-battery", "\"")]
    [InlineData("bearer-token", "password: ", "correct-horse-battery", "\n")]
    [InlineData("bearer-token", "password = \"", "settings.password", "\"")]
    [InlineData("signature", "X-Hub-Signature-256: ", "sha256=0123456789abcdef0123456789abcdef", "\n")]
    [InlineData("signature", "https://host/file?X-Amz-Signature=", "0123456789abcdef0123456789abcdef", "&x=1")]
    [InlineData("authorization", "Authorization: ", "Basic dXNlcjpwYXNzd29yZA==", "\nHost: x")]
    [InlineData("authorization", "clone https://robot:", "hunter2hunter2", "@git.example/x.git")]
    [InlineData("kubeconfig", "client-key-data: ", "LS0tLS1CRUdJTiBSU0EgUFJJVkFURQ==", "\n")]
    public void What_is_a_secret_by_its_looks_is_taken_out(string category, string before, string secret, string after)
    {
        var (text, counts) = Of().Redact(before + secret + after);
        Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
        Assert.Contains($"[REDACTED:{category}]", text, StringComparison.Ordinal);
        Assert.EndsWith(after, text, StringComparison.Ordinal);
        Assert.Equal((category, 1), Assert.Single(counts.Select(c => (c.Key, c.Value))));
    }

    [Fact]
    public void A_private_key_is_taken_out_whole_and_also_when_its_end_is_missing()
    {
        const string Begin = "-----BEGIN RSA PRIVATE KEY-----\n", Inner = "MIIBVgIBADANBgkqhkiG9w0BAQEFAASCAT8wggE7AgEAAkEA\nq5Vx1yyN1vZ2\n", End = "-----END RSA PRIVATE KEY-----";
        var (whole, counts) = Of().Redact($"key:\n{Begin}{Inner}{End}\nrest");
        Assert.Equal("key:\n[REDACTED:private-key]\nrest", whole);
        Assert.Equal(1, counts["private-key"]);
        Assert.DoesNotContain("MIIB", Of().Redact(Begin + Inner).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_value_of_the_organization_is_taken_out_in_every_form_and_counted_under_its_own_name()
    {
        var raw = Encoding.UTF8.GetBytes(Value);
        string[] forms = [Value, new string([.. Value.Reverse()]), Convert.ToHexString(raw), Convert.ToBase64String(raw), Uri.EscapeDataString(Value), System.Text.Json.JsonSerializer.Serialize(Value)];
        foreach (var form in forms)
        {
            var (text, counts) = Of(Value).Redact($"über {form} Ende");
            Assert.StartsWith("über ", text, StringComparison.Ordinal);
            Assert.EndsWith(" Ende", text, StringComparison.Ordinal);
            Assert.DoesNotContain(form[2..^4], text, StringComparison.Ordinal);
            Assert.Equal(1, counts[Redactor.KnownSecret]);
        }
    }

    [Fact]
    public void Two_values_that_overlap_are_one_place() =>
        Assert.Equal(("[REDACTED:secret]", 1), Of("abcdefgh12345678", "12345678ijklmnop").Redact("abcdefgh12345678ijklmnop") is var (text, counts) ? (text, counts.Values.Sum()) : default);

    [Fact]
    public void What_is_assigned_to_a_key_that_was_denied_goes_too()
    {
        var redactor = new Redactor(new KnownSecrets([]), ["DATABASE_URL"]);
        Assert.Equal("export DATABASE_URL=[REDACTED:denied-key] # short", redactor.Redact("export DATABASE_URL=tiny # short").Text);
        Assert.Equal("{\"DATABASE_URL\": \"[REDACTED:denied-key]\"}", redactor.Redact("{\"DATABASE_URL\": \"tiny\"}").Text);
    }

    [Theory]
    [InlineData("The token bucket holds 10 tokens, the password field is empty.")]
    [InlineData("error CS0103: The name 'secretKey' does not exist in the current context")]
    [InlineData("commit 0123456789abcdef0123456789abcdef01234567")]
    [InlineData("see https://example.com:8080/path?page=2 and git@host:org/repo.git")]
    [InlineData("if (authorization == null) throw new ArgumentNullException(nameof(authorization));")]
    [InlineData("task-runner finished, sk-1 passed")]
    [InlineData("password = os.environ")]
    [InlineData("the Token src/Identity/TokenValidator.cs is validated")]
    public void Ordinary_text_stays_as_it_is(string text) => Assert.Equal((text, 0), Of(Value).Redact(text) is var (kept, counts) ? (kept, counts.Count) : default);

    [Fact]
    public void What_is_taken_out_already_is_not_counted_again()
    {
        var once = Of().Redact($"Authorization: Bearer abcdefghijklmnopqrstuvwxyz{Fake}");
        Assert.Equal(1, once.Counts.Values.Sum());
        Assert.Equal(once.Text, Of().Redact(once.Text).Text);
    }

    private static Redactor Of(params string[] values) => new(new KnownSecrets(values), []);
}
