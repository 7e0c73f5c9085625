using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Identity;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Tests.Testing;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.Tokens;
using Xunit;

namespace Krate.Tests.Identity;

/// <summary>What a token may say, how long it lasts, and what makes it worthless.</summary>
public sealed class TokenTests : IDisposable
{
    private const string Issuer = "https://127.0.0.1:5443";
    private readonly TempData data = new();
    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly SigningKeys keys;
    private readonly IdentityOptions options = new(Issuer, LocalDeveloper: true);
    private readonly TokenIssuer issuer;
    private readonly TokenValidator validator;

    public TokenTests()
    {
        keys = new SigningKeys(data.Directory);
        issuer = new TokenIssuer(keys, options, time);
        validator = new TokenValidator(keys, options, time);
    }

    public void Dispose()
    {
        keys.Dispose();
        data.Dispose();
    }

    [Fact]
    public async Task A_user_token_carries_subject_audience_and_times_and_nothing_else()
    {
        var (token, expires) = issuer.MintUser("github:mira");

        Assert.Equal(["aud", "exp", "iat", "iss", "jti", "sub"], Payload(token).Select(p => p.Key).Order());
        Assert.Equal(time.GetUtcNow().AddHours(1), expires);
        var credential = (await validator.ValidateAsync(token, [])).Value;
        Assert.Equal(new Credential("github:mira", time.GetUtcNow()) { ValidUntil = expires }, credential);
    }

    [Fact]
    public void A_user_token_lasts_twelve_hours_at_most()
    {
        Assert.Equal(time.GetUtcNow().AddHours(12), issuer.MintUser("mira", TimeSpan.FromHours(12)).Expires);
        Assert.Equal(422, Assert.Throws<ApiException>(() => issuer.MintUser("mira", TimeSpan.FromHours(12) + TimeSpan.FromSeconds(1))).Code);
        Assert.Equal(422, Assert.Throws<ApiException>(() => issuer.MintUser("mira", TimeSpan.Zero)).Code);
    }

    [Theory]
    [InlineData(599, false)]
    [InlineData(600, true)]
    [InlineData(86_400, true)]
    [InlineData(86_401, false)]
    public async Task A_service_account_token_lasts_ten_minutes_to_a_day(long seconds, bool allowed)
    {
        if (allowed)
        {
            Assert.Equal(time.GetUtcNow().AddSeconds(seconds), (await issuer.MintServiceAccountAsync(Account(), [], seconds)).Expires);
            return;
        }

        var refusal = await Assert.ThrowsAsync<ApiException>(() => issuer.MintServiceAccountAsync(Account(), [], seconds));
        Assert.Equal((422, "spec.expirationSeconds"), (refusal.Code, refusal.Causes.Single().Field));
    }

    [Fact]
    public async Task A_token_is_good_for_its_audience_only()
    {
        var (token, _) = await issuer.MintServiceAccountAsync(Account(), ["vault", "registry"], null);

        Assert.Null((await validator.ValidateAsync(token, [])).Value);
        Assert.NotNull((await validator.ValidateAsync(token, ["registry"])).Value);
        Assert.Null((await validator.ValidateAsync(issuer.MintUser("mira").Token, ["registry"])).Value);
    }

    [Fact]
    public async Task Nobody_can_ask_for_the_audience_of_the_admin_credential()
    {
        var refusal = await Assert.ThrowsAsync<ApiException>(() => issuer.MintServiceAccountAsync(Account(), [IdentityOptions.AdminAudience], null));

        Assert.Equal(422, refusal.Code);
        Assert.Throws<ArgumentException>(() => issuer.MintUser(WellKnown.AdminUser));
        Assert.True((await validator.ValidateAsync(issuer.MintAdmin().Token, [])).Value!.IsAdmin);
    }

    [Fact]
    public async Task A_token_ends_at_its_expiry()
    {
        var (token, _) = issuer.MintUser("mira", TimeSpan.FromMinutes(5));

        time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromSeconds(1));
        Assert.NotNull((await validator.ValidateAsync(token, [])).Value);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null((await validator.ValidateAsync(token, [])).Value);
    }

    [Fact]
    public async Task A_changed_token_is_worthless()
    {
        var parts = issuer.MintUser("mira").Token.Split('.');
        var payload = Payload(string.Join('.', parts));
        payload["sub"] = WellKnown.AdminUser;
        payload["aud"] = new JsonArray(Issuer, IdentityOptions.AdminAudience);
        var forged = Base64UrlEncoder.Encode(payload.ToJsonString());
        var noAlgorithm = Base64UrlEncoder.Encode("""{"alg":"none","typ":"JWT"}""");

        Assert.Null((await validator.ValidateAsync($"{parts[0]}.{forged}.{parts[2]}", [])).Value);
        Assert.Null((await validator.ValidateAsync($"{noAlgorithm}.{forged}.", [])).Value);
        Assert.Null((await validator.ValidateAsync("rubbish", [])).Value);
        Assert.Null((await validator.ValidateAsync(new string('a', 100_000), [])).Value);
    }

    [Fact]
    public async Task A_token_of_another_key_or_issuer_is_worthless()
    {
        using var elsewhere = new TempData();
        using var otherKeys = new SigningKeys(elsewhere.Directory);

        Assert.Null((await validator.ValidateAsync(new TokenIssuer(otherKeys, options, time).MintUser("mira").Token, [])).Value);
        var otherIssuer = new TokenIssuer(keys, options with { Issuer = "https://elsewhere" }, time);
        Assert.Null((await validator.ValidateAsync((await otherIssuer.MintServiceAccountAsync(Account(), [Issuer], null)).Token, [])).Value);
    }

    [Fact]
    public async Task A_key_that_was_rotated_out_still_verifies_and_no_longer_signs()
    {
        var before = issuer.MintUser("mira").Token;
        var path = Path.Combine(data.Directory.Keys, "token-signing.pem");
        File.Move(path, Path.Combine(data.Directory.Keys, "token-signing-old.pem"));
        using var rotated = new SigningKeys(data.Directory);

        Assert.NotNull((await new TokenValidator(rotated, options, time).ValidateAsync(before, [])).Value);
        Assert.NotEqual(keys.Signing.KeyId, rotated.Signing.KeyId);
        Assert.Equal(2, rotated.PublicKeySet()["keys"]!.AsArray().Count);
    }

    [Fact]
    public async Task Replicas_that_start_at_once_share_one_private_key()
    {
        using var shared = new TempData();
        var replicas = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => new SigningKeys(shared.Directory))));

        Assert.Single(replicas.Select(r => r.Signing.KeyId).Distinct());
        Assert.Equal([Path.Combine(shared.Directory.Keys, "token-signing.pem")], Directory.EnumerateFiles(shared.Directory.Keys));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(shared.Directory.Keys, "token-signing.pem")));
        foreach (var replica in replicas) replica.Dispose();
    }

    [Fact]
    public void The_published_keys_are_public_halves()
    {
        var key = keys.PublicKeySet()["keys"]![0]!.AsObject();

        Assert.Equal(["alg", "crv", "kid", "kty", "use", "x", "y"], key.Select(p => p.Key).Order());
    }

    private static Resource Account() => new(KindTable.Catalog["ServiceAccount"], KrateJson.ParseObject(
        """{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"runner","namespace":"krate-org-acme","uid":"u-1"}}"""));

    private static JsonObject Payload(string token) => JsonNode.Parse(Encoding.UTF8.GetString(Base64UrlEncoder.DecodeBytes(token.Split('.')[1])))!.AsObject();
}
